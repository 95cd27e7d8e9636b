/* SPDX-License-Identifier: Apache-2.0 */
/* value: see value.h. */
#include "cli/value.h"

#include "lib/base.h"

#include <stdio.h>

static json_t *
sum_of(const json_t *v)
{
	json_int_t sum = 0;
	const char *key;
	json_t *one;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)v, key, one)
		sum += json_integer_value(one);
	json_array_foreach(v, i, one) sum += json_integer_value(one);
	return json_integer(sum);
}

static json_t *each_at(const json_t *list, const char *path);

/* Behind a value, path is empty, a '#', a '+', or ".more". */
static json_t *
rest_at(const json_t *v, const char *path)
{
	if (!v)
		return NULL;
	if (strcmp(path, "#") == 0)
		return json_integer(
		    (json_int_t)(json_is_object(v) ? json_object_size(v)
						   : json_array_size(v)));
	if (strcmp(path, "+") == 0)
		return sum_of(v);
	if (strncmp(path, "[]", 2) == 0)
		return each_at(v, path + 2);
	if (*path == '.')
		return value_at(v, path + 1);
	return *path ? NULL : json_incref((json_t *)(uintptr_t)v);
}

static json_t *
each_at(const json_t *list, const char *path)
{
	json_t *out = json_array();
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		json_t *one = rest_at(v, path);

		if (json_is_array(one)) {
			json_array_extend(out, one);
			json_decref(one);
		} else if (one) {
			json_array_append_new(out, one);
		}
	}
	return out;
}

json_t *
value_at(const json_t *doc, const char *path)
{
	size_t n = strcspn(path, ".[#+");
	char name[64];

	if (n == 0 || n >= sizeof(name))
		return NULL;
	memcpy(name, path, n);
	name[n] = '\0';
	return rest_at(json_object_get(doc, name), path + n);
}

static void
print_value(FILE *f, const json_t *v)
{
	const char *key, *between = "";
	json_t *one;
	size_t i;

	if (json_is_string(v))
		fputs(json_string_value(v), f);
	else if (json_is_integer(v))
		fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		fprintf(f, "%g", json_real_value(v));
	else if (json_is_boolean(v))
		fputs(json_is_true(v) ? "yes" : "no", f);
	else if (!v || json_is_null(v))
		fputc('-', f);
	json_array_foreach(v, i, one)
	{
		fputs(between, f);
		print_value(f, one);
		between = ",";
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, one) {
		fprintf(f, "%s%s=", between, key);
		print_value(f, one);
		between = ",";
	}
}

/* The C1 controls are two bytes of UTF-8: 0xc2, then 0x80 to 0x9f. */
void
value_make_safe(char *s, const char *keep)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (strchr(keep, *s))
			continue;
		if (c < ' ' || c == 0x7f)
			*s = '?';
		else if (c == 0xc2 && (unsigned char)s[1] >= 0x80 &&
			 (unsigned char)s[1] < 0xa0)
			s[0] = s[1] = '?';
	}
}

char *
value_text(const json_t *v)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return NULL;
	print_value(f, v);
	fclose(f);
	if (text && !*text) {
		free(text);
		text = strdup("-");
	}
	if (text)
		value_make_safe(text, "");
	return text;
}
