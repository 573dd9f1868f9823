"""bundle.py PAGE WASM MODELS EXAMPLE.jpg OUT.html - the page as one file that loads nothing.

PAGE: the folder of index.html, its style sheet and modules; WASM: the folder with plain.wasm and fused.wasm; MODELS: that
of the models and networks; EXAMPLE.jpg: pictures to try it with. Modules may import names from each other ("import { a, b } from ..."); here they become one
script in the order of their imports, so no two of them may define the same name at the top level."""
import base64
import gzip
import hashlib
import pathlib
import re
import sys

page, wasm, models, example, out = (pathlib.Path(argument) for argument in sys.argv[1:6])
IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\S+)";\n', re.MULTILINE)
DEFINITION = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)


def script(main):
    """The module and all that it imports, each behind what it needs."""
    parts, done = [], set()

    def add(name):
        if name in done:
            return
        done.add(name)
        source = (page / name).read_text(encoding="utf-8")
        for needed in IMPORT.findall(source):
            add(needed)
        parts.append(re.sub(r"^export ", "", IMPORT.sub("", source), flags=re.MULTILINE))

    add(main)
    whole = "".join(parts)
    names = DEFINITION.findall(whole)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        sys.exit(f"{main}: defined in more than one module: {', '.join(twice)}")
    if "</script" in whole or "<!--" in whole:
        sys.exit(f"{main}: what HTML takes for an end or a comment")
    return '"use strict";\n' + whole


def asset(name, content):
    """A file, compressed, in base 85, for the page to take out again. In models, whose numbers have two bytes, the even
    bytes come before the odd ones, which saves 7 percent."""
    halves = name.endswith(".safetensors")
    packed = gzip.compress(content[0::2] + content[1::2] if halves else content, 9, mtime=0)
    encoded = base64.b85encode(packed).decode()
    return f'<script type="application/gzip" id="{name}"{" data-halves" * halves}>{encoded}</script>\n'


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


style, main = (page / "page.css").read_text(encoding="utf-8"), script("main.js")
policy = "; ".join([
    "default-src 'none'", f"script-src {digest(main)} blob: 'wasm-unsafe-eval'", f"style-src {digest(style)}",
    "img-src blob: data:", "worker-src blob:", "base-uri 'none'", "form-action 'none'"])
assets = "".join(asset(f"{name}.wasm", (wasm / f"{name}.wasm").read_bytes()) for name in ("plain", "fused"))
for model in ("colorize.safetensors", "denoiser.safetensors"):
    assets += asset(model, (models / model).read_bytes())
assets += asset("example.jpg", example.read_bytes())
for network in ("standard", "custom", "one-pool", "best"):
    assets += asset(f"{network}.net", (models / f"{network}.net").read_bytes())

html = (page / "index.html").read_text(encoding="utf-8")
for mark, content in (
        ("<!-- policy -->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        ("<!-- style -->", f"<style>{style}</style>"),
        ("<!-- assets -->", assets + f'<script type="text/plain" id="worker.js">{script("worker.js")}</script>'),
        ("<!-- script -->", f'<script type="module">{main}</script>')):
    if html.count(mark) != 1:
        sys.exit(f"index.html: expected one {mark}")
    html = html.replace(mark, content)
out.write_text(html, encoding="utf-8")
