# limits.awk - functions of at most 60 lines and 8 parameters, by how clang-format lays C out: a function's head begins at
# the first column and ends in "{", its last line is "}".
function complain(what) { print FILENAME ":" FNR ": " name what; bad = 1 }
function parameters(text,   depth, count, i, c) {
    sub(/^[^(]*\(/, "", text)
    count = 1
    for (i = 1; i <= length(text) && depth >= 0; i++) {
        c = substr(text, i, 1)
        depth += (c == "(") - (c == ")")
        count += c == "," && depth == 0
    }
    return count
}
FNR == 1 { open = inside = 0 }
/^[A-Za-z_]/ { head = ""; begin = FNR; open = 1 }
open { head = head " " $0 }
open && /[;{]$/ {
    open = 0
    if (head ~ /=/ || head !~ /\(/) next # an initializer, a struct
    inside = /\{$/
    name = head
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if ((n = parameters(head)) > 8) complain(" has " n " parameters, at most 8")
}
inside && /^}/ {
    inside = 0
    if (FNR - begin + 1 > 60) complain(" has " FNR - begin + 1 " lines, at most 60")
}
END { exit bad }
