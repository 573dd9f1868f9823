# modules.sh - sourced: the order of the modules. allowed MODULE prints those that it may use, apart from itself.
engine="net layers kernels base" # what every engine's user may use
allowed() {
    case $1 in
    base) ;;
    kernels) echo "base" ;;
    layers) echo "kernels base" ;;
    net) echo "layers kernels base" ;;
    engine) echo "$engine" ;;
    model | exchange) echo "model engine $engine" ;;
    image | metrics | report) echo "base" ;;
    data) echo "image base" ;;
    code) echo "model engine $engine image" ;;
    apply) echo "model engine $engine data image metrics report" ;;
    eval) echo "code apply model engine $engine data image metrics report" ;;
    train | bench) echo "train apply model engine $engine data image metrics report" ;;
    anomaly) echo "eval train apply model engine $engine data image metrics report" ;;
    study) echo "train eval apply model engine $engine data image metrics report" ;;
    *) echo "src/$1: a module that scripts/modules.sh does not know" >&2 ;;
    esac
}
