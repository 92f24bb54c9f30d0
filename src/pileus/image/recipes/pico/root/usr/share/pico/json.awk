# Print each string of a JSON document whose path is `wanted` or lies below it, one a line; escapes are undone, blank
# lines left out. Paths look like .public_keys.mine; list members have their number for a name.
function unescape(text,    out, at, code) {
    while ((at = index(text, "\\")) > 0) {
        out = out substr(text, 1, at - 1)
        code = substr(text, at + 1, 1)
        text = substr(text, at + 2)
        if (code == "n" || code == "r") out = out "\n"
        else if (code == "t") out = out "\t"
        else if (code == "u") {
            # Only ASCII matters to keys and host names.
            out = out sprintf("%c", digit(substr(text, 3, 1)) * 16 + digit(substr(text, 4, 1)))
            text = substr(text, 5)
        } else if (code != "b" && code != "f") out = out code
    }
    return out text
}
function digit(character) {
    return index("0123456789abcdef", tolower(character)) - 1
}
function show(text,    lines, count, i) {
    if (index(path() ".", wanted ".") != 1) return
    count = split(unescape(text), lines, "\n")
    for (i = 1; i <= count; i++) if (lines[i] ~ /[^ ]/) print lines[i]
}
function path(    out, i) {
    for (i = 1; i <= depth; i++) out = out "." name[i]
    return out
}
{ document = document $0 "\n" }
END {
    depth = 0
    while (match(document, /"([^"\\]|\\.)*"|[][{},:]|[^][{},:" \t\r\n]+/)) {
        token = substr(document, RSTART, RLENGTH)
        document = substr(document, RSTART + RLENGTH)
        if (token == "{") { list[++depth] = 0; key = 1 }
        else if (token == "[") { list[++depth] = 1; name[depth] = 0; key = 0 }
        else if (token == "}" || token == "]") { depth--; key = 0 }
        else if (token == ",") { if (list[depth]) name[depth]++; else key = 1 }
        else if (token == ":") key = 0
        else if (token ~ /^"/) {
            text = substr(token, 2, length(token) - 2)
            if (key) name[depth] = text; else show(text)
        }
    }
}
