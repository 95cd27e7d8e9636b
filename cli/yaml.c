/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml: see yaml.h. A text is written plain only if it can be nothing else; text
 * of several lines becomes a block, so that a script can be read.
 */
#include "cli/yaml.h"

#include "lib/base.h"

#include <ctype.h>
#include <strings.h>

static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool
is_plain(const char *s)
{
	static const char *const words[] = { "true", "false", "null", "yes",
		"no", "on", "off", "y", "n" };

	if (!*s || !strchr(letters, *s))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return false;
	for (; *s; s++)
		if (!strchr(letters, *s) && !isdigit((unsigned char)*s) &&
		    !strchr("_./-", *s))
			return false;
	return true;
}

/* Control characters but tab and the end of a line; also those of two bytes. */
static bool
is_control(const char *s)
{
	unsigned char c = (unsigned char)*s;

	return (c < ' ' && c != '\t' && c != '\n') || c == 0x7f ||
	       (c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

static bool
is_block(const char *s)
{
	if (!strchr(s, '\n') || strchr(" \t\n", *s))
		return false;
	for (; *s; s++)
		if (is_control(s))
			return false;
	return true;
}

static void
print_quoted(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c == 0xc2 && is_control(s))
			fprintf(f, "\\x%02X", (unsigned char)*++s);
		else if (c < ' ' || c == 0x7f)
			fprintf(f, "\\x%02X", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void
print_block(FILE *f, const char *s, unsigned depth)
{
	size_t n = strlen(s);

	if (s[n - 1] != '\n')
		fputs("|-", f);
	else
		fputs(s[n - 2] == '\n' ? "|+" : "|", f);
	while (*s) {
		size_t k = strcspn(s, "\n");

		fprintf(f, "\n%*s%.*s", k ? (int)depth * 2 : 0, "", (int)k, s);
		s += k + (s[k] != '\0');
	}
	fputc('\n', f);
}

static void
print_scalar(FILE *f, const json_t *v, unsigned depth)
{
	const char *s = json_string_value(v);

	if (s && is_block(s)) {
		print_block(f, s, depth);
		return;
	}
	if (s && is_plain(s))
		fputs(s, f);
	else if (s)
		print_quoted(f, s);
	else
		json_dumpf(v, f, JSON_ENCODE_ANY | JSON_COMPACT);
	fputc('\n', f);
}

static bool
is_nested(const json_t *v)
{
	return json_array_size(v) > 0 || json_object_size(v) > 0;
}

static void print_node(FILE *f, const json_t *v, unsigned depth, bool inlined);

/* Behind "key:": a nested value begins on a line of its own. */
static void
print_behind(FILE *f, const json_t *v, unsigned depth)
{
	if (is_nested(v)) {
		fputc('\n', f);
		print_node(f, v, depth, false);
	} else {
		fputc(' ', f);
		print_scalar(f, v, depth);
	}
}

/* inlined: its first line has its indent already, behind a "- ". */
static void
print_node(FILE *f, const json_t *v, unsigned depth, bool inlined)
{
	const char *key;
	json_t *one;
	size_t i;

	if (!is_nested(v)) {
		print_scalar(f, v, depth);
		return;
	}
	json_array_foreach(v, i, one)
	{
		fprintf(f, "%*s- ", inlined ? 0 : (int)depth * 2, "");
		print_node(f, one, depth + 1, true);
		inlined = false;
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, one) {
		fprintf(f, "%*s", inlined ? 0 : (int)depth * 2, "");
		if (is_plain(key))
			fputs(key, f);
		else
			print_quoted(f, key);
		fputc(':', f);
		print_behind(f, one, depth + 1);
		inlined = false;
	}
}

void
yaml_print(FILE *f, const json_t *doc)
{
	print_node(f, doc, 0, false);
}
