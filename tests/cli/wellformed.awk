# Exit status 0 if every element of an HTML page is closed in order, quotes have partners and & starts an entity.
BEGIN { RS = "<" }
function wrong(what) { print FILENAME ": " what; bad = 1; exit 1 }
NR > 1 {
    end = index($0, ">")
    if (!end) wrong("no > after <" substr($0, 1, 40))
    tag = substr($0, 1, end - 1)
    rest = substr($0, end + 1)
    name = tag
    sub(/[ \n\/].*/, "", name)
    if (substr(tag, 1, 1) == "/") {
        name = substr(tag, 2)
        if (depth == 0 || stack[depth] != name) wrong("</" name "> closes <" stack[depth] ">")
        depth--
    } else if (name !~ /^(!doctype|meta|img|br)$/ && tag !~ /\/$/) {
        stack[++depth] = name
    }
    if (gsub(/"/, "", tag) % 2) wrong("a quotation mark without partner in <" name)
    gsub(/&(amp|lt|gt|quot);/, "", rest)
    if (index(rest, "&")) wrong("a bare & after <" name ">")
}
END { if (!bad && depth) { print FILENAME ": <" stack[depth] "> is not closed"; exit 1 } }
