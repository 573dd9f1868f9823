"""fuse.py IN.ll OUT.ll - makes relaxed multiply-adds of products that a sum in the same block uses, as compilers do for
processors that have them (-ffp-contract=fast); clang 19 doesn't for WebAssembly. A product is fused where all of its
uses can be."""
import re
import sys

PRODUCT = re.compile(r"  (%\S+) = fmul contract (<[48] x float>|float) (.+)$")
SUM = re.compile(r"  (%\S+) = (fadd|fsub) contract (<[48] x float>|float) (.+)$")
VALUE = re.compile(r"%[\w.]+")
VECTOR = "<4 x float>"
DECLARATIONS = "".join(f"declare {VECTOR} @llvm.wasm.relaxed.{name}.v4f32({VECTOR}, {VECTOR}, {VECTOR})\n"
                       for name in ("madd", "nmadd"))


def operands(text):
    """The two of "a, b", which may be constants with commas in brackets."""
    depth = 0
    for i, c in enumerate(text):
        depth += c in "<(" and 1 or c in ">)" and -1 or 0
        if c == "," and depth == 0:
            return text[:i], text[i + 2:]
    raise ValueError(text)


def multiply_add(result, type_, kind, factors, addend, negate):
    """The lines of one: negate is whether it is to be taken off. There are instructions for four floats alone."""
    own = "%fused." + result[1:]
    lines, values = [], [*factors, addend]
    if negate:
        lines.append(f"  {own}.negated = fneg {type_} {addend}")
        values[2] = f"{own}.negated"
    parts = {"float": 1, VECTOR: 1, "<8 x float>": 2}[type_]
    for part in range(parts):
        arguments = list(values)
        for i, value in enumerate(values):
            if type_ == "float":
                lines.append(f"  {own}.{i} = insertelement {VECTOR} zeroinitializer, float {value}, i32 0")
            elif parts > 1:
                places = ", ".join(f"i32 {4 * part + j}" for j in range(4))
                lines.append(f"  {own}.{part}.{i} = shufflevector {type_} {value}, {type_} poison, "
                             f"<4 x i32> <{places}>")
            if type_ != VECTOR:
                arguments[i] = f"{own}.{i}" if parts == 1 else f"{own}.{part}.{i}"
        call = ", ".join(f"{VECTOR} {argument}" for argument in arguments)
        name = result if type_ == VECTOR else f"{own}.part{part}"
        lines.append(f"  {name} = call {VECTOR} @llvm.wasm.relaxed.{kind}.v4f32({call})")
    if type_ == "float":
        lines.append(f"  {result} = extractelement {VECTOR} {own}.part0, i32 0")
    elif parts > 1:
        places = ", ".join(f"i32 {j}" for j in range(8))
        lines.append(f"  {result} = shufflevector {VECTOR} {own}.part0, {VECTOR} {own}.part1, <8 x i32> <{places}>")
    return lines


def fuse_sum(match, products):
    """The lines for a sum, or None; and the product that it then contains."""
    result, operation, type_, rest = match.groups()
    left, right = operands(rest)
    if left in products and operation == "fadd":
        return left, multiply_add(result, type_, "madd", products[left], right, False)
    if left in products:
        return left, multiply_add(result, type_, "madd", products[left], right, True)
    if right in products:
        return right, multiply_add(result, type_, "madd" if operation == "fadd" else "nmadd", products[right], left,
                                   False)
    return None, None


def fuse_block(lines, uses):
    """One basic block; uses: how often each value is used in the function."""
    products, fused, out = {}, {}, []
    for line in lines:  # first the products whose uses are all sums of this block
        if match := PRODUCT.match(line):
            products[match[1]] = operands(match[3])
        elif match := SUM.match(line):
            product, _ = fuse_sum(match, products)
            fused[product] = fused.get(product, 0) + 1
    products = {p: f for p, f in products.items() if fused.get(p) == uses[p]}
    for line in lines:
        if (match := PRODUCT.match(line)) and match[1] in products:
            continue
        match = SUM.match(line)
        out.extend(match and fuse_sum(match, products)[1] or [line])
    return out


def fuse_function(lines):
    uses, blocks = {}, [[]]
    for line in lines:
        for value in VALUE.findall(line.partition(" = ")[2] or line):
            uses[value] = uses.get(value, 0) + 1
        if re.match(r"\S+:", line):
            blocks.append([])
        blocks[-1].append(line)
    return [line for block in blocks for line in fuse_block(block, uses)]


def main():
    out, function = [], None
    with open(sys.argv[1], encoding="utf-8") as source:
        for line in source.read().splitlines():
            if function is None:
                out.append(line)
                if line.startswith("define "):
                    function = []
            elif line == "}":
                out += [*fuse_function(function), line]
                function = None
            else:
                function.append(line)
    with open(sys.argv[2], "w", encoding="utf-8") as target:
        target.write("\n".join(out) + "\n" + DECLARATIONS)


main()
