# SPDX-License-Identifier: Apache-2.0
#
# yaml2json: api/openapi.yaml as JSON, on one line. It reads the part of YAML that
# the file is written in and no more, as tests/rest/openapi.mjs does: block
# mappings and sequences, JSON for what is in {} and [], text after ">", comments
# on lines of their own. A test compares the two readers.
#
#   awk -f yaml2json.awk openapi.yaml > openapi.json

function die(why) {
	printf "openapi.yaml:%d: %s: %s\n", no[at], why, text[at] > "/dev/stderr"
	failed = 1
	exit 1
}

function quote(s) {
	gsub(/\\/, "\\\\", s)
	gsub(/"/, "\\\"", s)
	gsub(/\n/, "\\n", s)
	return "\"" s "\""
}

# How many brackets s leaves open; those in strings are none.
function depth(s,    i, c, n, in_string) {
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (in_string && c == "\\")
			i++
		else if (c == "\"")
			in_string = !in_string
		else if (!in_string && (c == "{" || c == "["))
			n++
		else if (!in_string && (c == "}" || c == "]"))
			n--
	}
	return n + 0
}

function flow(s, own) {
	while (depth(s) > 0) {
		if (at > last || indent[at] <= own)
			die("no end")
		s = s " " text[at++]
	}
	return s
}

function folded(own,    s) {
	for (; at <= last && indent[at] > own; at++)
		s = s (s == "" ? "" : blank[at] ? "\n" : " ") text[at]
	return quote(s "\n")
}

function scalar(s, own) {
	if (s == ">")
		return folded(own)
	if (s ~ /^[{[]/)
		return flow(s, own)
	if (s ~ /^"/ || s ~ /^-?[0-9]+$/ || s == "true" || s == "false")
		return s
	return quote(s)
}

function mapping(own,    out, key, rest, n) {
	while (at <= last && indent[at] == own) {
		if (match(text[at], /^"[^"]*":/)) {
			key = substr(text[at], 1, RLENGTH - 1)
		} else if (match(text[at], /^[^ "'{[][^:]*:/)) {
			key = quote(substr(text[at], 1, RLENGTH - 1))
		} else {
			die("no key")
		}
		rest = substr(text[at], RLENGTH + 1)
		sub(/^ +/, "", rest)
		at++
		out = out (n++ ? "," : "") key ":"
		if (rest != "")
			out = out scalar(rest, own)
		else if (at <= last && indent[at] > own)
			out = out block(indent[at])
		else
			die("no value")
	}
	return "{" out "}"
}

function sequence(own,    out, n) {
	while (at <= last && indent[at] == own && text[at] ~ /^- /) {
		at++
		out = out (n++ ? "," : "") scalar(substr(text[at - 1], 3), own)
	}
	return "[" out "]"
}

function block(own) {
	return text[at] ~ /^- / ? sequence(own) : mapping(own)
}

/^[ ]*(#.*)?$/ {
	if ($0 !~ /#/)
		was_blank = 1
	next
}

{
	last++
	match($0, /^ */)
	indent[last] = RLENGTH
	text[last] = substr($0, RLENGTH + 1)
	no[last] = NR
	blank[last] = was_blank
	was_blank = 0
}

END {
	if (failed)
		exit 1
	at = 1
	out = block(0)
	if (at <= last)
		die("indented otherwise")
	print out
}
