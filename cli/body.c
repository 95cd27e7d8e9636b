/* SPDX-License-Identifier: Apache-2.0 */
/* body: see body.h. */
#include "cli/body.h"

#include "lib/base.h"

#include <ctype.h>
#include <stdio.h>

enum { MAX_FILE = 64 << 20, MAX_POINTER = 256 };

/* clang-format off */
static const struct item_key vnic_keys[] = {
	{ "port", "/attach/port", .is_text = true },
	{ "vlan", .at = "/attach/match/vlan" },
	{ "trunk", "/attach/trunk", .is_flag = true },
	{ "router", "/attach/router", .is_text = true },
	{ "vnic", "/attach/vnic", .is_text = true },
	{ "address", "/addresses/-", .is_text = true },
	{ "mac", "/mac", .is_text = true },
	{ "mtu", .at = "/mtu" },
	{ "rx_pps", .at = "/quota/rx_pps" },
	{ "tx_pps", .at = "/quota/tx_pps" },
	{ "rx_bps", .at = "/quota/rx_bps" },
	{ "tx_bps", .at = "/quota/tx_bps" },
	{ "burst_ms", .at = "/quota/burst_ms" },
};
static const struct item_key route_keys[] = {
	{ "via", "/via", .is_text = true },
	{ "vnic", "/vnic", .is_text = true },
};
/* clang-format on */

const struct item item_vnic = { "/name", vnic_keys, ARRAY_SIZE(vnic_keys) };
const struct item item_route = { "/prefix", route_keys,
	ARRAY_SIZE(route_keys) };

/* --- JSON ------------------------------------------------------------------- */

json_t *
body_value(const char *text)
{
	json_t *v = NULL;

	/* 1e3 and 0x1 are texts to JSON or not; names begin with letters */
	if (isdigit((unsigned char)*text) || strchr("-{[\"", *text) ||
	    strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
	    strcmp(text, "null") == 0)
		v = json_loads(
		    text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	return v ? v : json_string(text);
}

/* The part of a pointer behind its '/'; ~1 and ~0 are undone. */
static const char *
next_part(const char *p, char *part, size_t size)
{
	size_t n = 0;

	for (p++; *p && *p != '/'; p++) {
		char c = *p;

		if (c == '~' && (p[1] == '0' || p[1] == '1'))
			c = *++p == '1' ? '/' : '~';
		if (n + 1 < size)
			part[n++] = c;
	}
	part[n] = '\0';
	return p;
}

int
body_put(json_t *doc, const char *pointer, json_t *v)
{
	char part[MAX_POINTER];

	if (!v)
		return -EINVAL;
	while (*pointer == '/') {
		bool is_last, is_list;
		json_t *next;

		pointer = next_part(pointer, part, sizeof(part));
		is_last = *pointer == '\0';
		if (json_is_array(doc) && strcmp(part, "-") == 0 && is_last)
			return json_array_append_new(doc, v) < 0 ? -EINVAL : 0;
		if (is_last && json_is_object(doc))
			return json_object_set_new(doc, part, v) < 0 ? -EINVAL
								     : 0;
		next = json_object_get(doc, part);
		is_list = strcmp(pointer, "/-") == 0;
		if (json_is_object(doc) &&
		    !(is_list ? json_is_array(next) : json_is_object(next))) {
			next = is_list ? json_array() : json_object();
			json_object_set_new(doc, part, next);
		}
		doc = next;
	}
	json_decref(v);
	return -EINVAL;
}

int
body_read_file(const char *path, char **out, size_t *n, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	scoped_free char *text = NULL;
	size_t used = 0, size = 0;

	if (!f)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	for (;;) {
		if (used + 1 >= size) {
			char *more = size < MAX_FILE
					 ? realloc(text, size + 65536)
					 : NULL;

			if (!more)
				break;
			text = more;
			size += 65536;
		}
		used += fread(text + used, 1, size - used - 1, f);
		if (feof(f) || ferror(f))
			break;
	}
	if (ferror(f) || !feof(f)) {
		if (f != stdin)
			fclose(f);
		return err_set(e, -EIO,
		    "%s: cannot be read, or has more than %d bytes", path,
		    MAX_FILE);
	}
	if (f != stdin)
		fclose(f);
	text[used] = '\0';
	*n = used;
	*out = steal_ptr(text);
	return 0;
}

static int
read_json(const char *path, json_t **out, struct err *e)
{
	scoped_free char *text = NULL;
	json_error_t why;
	size_t n;
	json_t *doc;
	int rc = body_read_file(path, &text, &n, e);

	if (rc < 0)
		return rc;
	doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return err_set(e, -EBADMSG, "%s:%d: %s", path,
		    doc ? 1 : why.line, doc ? "want an object" : why.text);
	}
	*out = doc;
	return 0;
}

/* --- items ------------------------------------------------------------------ */

static void
list_keys(const struct item *item, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < item->n_keys && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "",
		    item->keys[i].name);
}

/* key=value, or a flag alone, into object. */
static int
put_key(const struct item *item, json_t *object, const char *text, size_t n,
    struct err *e)
{
	const char *eq = memchr(text, '=', n);
	size_t n_key = eq ? (size_t)(eq - text) : n;
	scoped_free char *value =
	    strndup(eq ? eq + 1 : "", eq ? n - n_key - 1 : 0);
	char known[256];

	if (!value)
		return err_set(e, -ENOMEM, "no memory");
	for (size_t i = 0; i < item->n_keys; i++) {
		const struct item_key *k = &item->keys[i];

		if (strlen(k->name) != n_key ||
		    memcmp(k->name, text, n_key) != 0 || (!eq && !k->is_flag))
			continue;
		return body_put(object, k->at,
		    !eq          ? json_true()
		    : k->is_text ? json_string(value)
				 : body_value(value));
	}
	list_keys(item, known, sizeof(known));
	return err_set(
	    e, -EINVAL, "%.*s: want key=value of: %s", (int)n, text, known);
}

static int
put_item(
    const struct item *item, json_t *object, const char *text, struct err *e)
{
	size_t n = strcspn(text, ",");
	int rc;

	if (n == 0)
		return err_set(e, -EINVAL,
		    "\"%s\": want %s before the first "
		    "comma",
		    text, item->first + 1);
	rc = body_put(object, item->first, json_stringn(text, n));
	for (text += n; rc == 0 && *text == ','; text += n) {
		text++;
		n = strcspn(text, ",");
		rc = put_key(item, object, text, n, e);
	}
	return rc;
}

/* --- options ---------------------------------------------------------------- */

/* at and a key as a pointer; '/' and '~' within the key are written so. */
static int
make_pointer(char *out, size_t size, const char *at, const char *key, size_t n)
{
	size_t used = (size_t)snprintf(out, size, "%s/", at);

	for (size_t i = 0; i < n; i++) {
		if (used + 3 > size)
			return -EINVAL;
		if (key[i] != '/' && key[i] != '~') {
			out[used++] = key[i];
			continue;
		}
		out[used++] = '~';
		out[used++] = key[i] == '/' ? '1' : '0';
	}
	out[used] = '\0';
	return 0;
}

/* k=v into doc at at/k; is_text: v is never a number, and k- is null. */
static int
put_pair(json_t *doc, const char *at, const char *text, size_t n, bool is_text)
{
	const char *eq = memchr(text, '=', n);
	size_t n_key = eq ? (size_t)(eq - text) : n - 1;
	scoped_free char *value = NULL;
	char pointer[MAX_POINTER];

	if (!eq && (!is_text || n < 2 || text[n - 1] != '-'))
		return -EINVAL;
	if (make_pointer(pointer, sizeof(pointer), at, text, n_key) < 0)
		return -EINVAL;
	if (!eq)
		return body_put(doc, pointer, json_null());
	value = strndup(eq + 1, n - n_key - 1);
	if (!value)
		return -ENOMEM;
	return body_put(
	    doc, pointer, is_text ? json_string(value) : body_value(value));
}

static int
put_pairs(json_t *doc, const char *at, const char *text)
{
	int rc = 0;

	while (rc == 0 && *text) {
		size_t n = strcspn(text, ",");

		rc = put_pair(doc, at, text, n, false);
		text += n + (text[n] != '\0');
	}
	return rc;
}

/* a.b.c=v */
static int
put_member(json_t *doc, const char *text)
{
	const char *eq = strchr(text, '=');
	char pointer[MAX_POINTER];
	size_t n;

	if (!eq || eq == text)
		return -EINVAL;
	n = (size_t)(eq - text);
	if (n + 2 > sizeof(pointer))
		return -EINVAL;
	snprintf(pointer, sizeof(pointer), "/%.*s", (int)n, text);
	for (char *p = pointer; *p; p++)
		if (*p == '.')
			*p = '/';
	return body_put(doc, pointer, body_value(eq + 1));
}

static int
put_change(
    const struct option *o, json_t *doc, const char *value, struct err *e)
{
	json_t *object = doc;

	if (*o->at) {
		object = json_object_get(doc, o->at + 1);
		if (!object) {
			object = json_object();
			json_object_set_new(doc, o->at + 1, object);
		}
	}
	return put_key(o->item, object, value, strlen(value), e);
}

static int
put_new_item(
    const struct option *o, json_t *doc, const char *value, struct err *e)
{
	char pointer[MAX_POINTER];
	json_t *object;
	int rc;

	if (!*o->at)
		return put_item(o->item, doc, value, e);
	object = json_object();
	rc = put_item(o->item, object, value, e);
	snprintf(pointer, sizeof(pointer), "%s/-", o->at);
	if (rc == 0)
		return body_put(doc, pointer, object);
	json_decref(object);
	return rc;
}

static int
put_option(
    const struct option *o, json_t *doc, const char *value, struct err *e)
{
	int rc = 0;

	switch (o->kind) {
	case OPTION_TEXT:
		rc = body_put(doc, o->at, json_string(value));
		break;
	case OPTION_VALUE:
		rc = body_put(doc, o->at, body_value(value));
		break;
	case OPTION_LABELS:
		rc = put_pair(doc, o->at, value, strlen(value), true);
		break;
	case OPTION_PAIRS:
		rc = put_pairs(doc, o->at, value);
		break;
	case OPTION_ITEM:
		return put_new_item(o, doc, value, e);
	case OPTION_CHANGE:
		return put_change(o, doc, value, e);
	case OPTION_SET:
		rc = put_member(doc, value);
		break;
	case OPTION_BODY:
	case OPTION_RAW:
	case OPTION_QUERY:
	case OPTION_OWN:
		return 0;
	}
	if (rc < 0)
		return err_set(e, rc, "%s %s: want %s, in UTF-8", o->name,
		    value, o->meta ? o->meta : "KEY=VALUE");
	return 0;
}

/* A word that is not in the path is a member of its name, in lower case. */
static int
put_word(const struct call *call, const struct word *w, const char *value,
    json_t *doc, struct err *e)
{
	const struct option *o = command_option(call->command, w->name);
	char in_path[WORD_SIZE + 2], member[WORD_SIZE + 1] = "/";
	size_t n = 1;

	snprintf(in_path, sizeof(in_path), "{%s}", w->name);
	if (strstr(call->command->path, in_path))
		return 0;
	if (o)
		return put_option(o, doc, value, e);
	for (const char *p = w->name; *p; p++)
		member[n++] = (char)tolower((unsigned char)*p);
	if (body_put(doc, member, json_string(value)) < 0)
		return err_set(e, -EINVAL, "%s: not UTF-8", w->name);
	return 0;
}

static int
put_all(const struct call *call, json_t *doc, struct err *e)
{
	unsigned kind = 0;
	struct word w;
	int rc = 0;

	for (unsigned i = 0; i < call->n_words && rc == 0; i++) {
		if (!command_word(call->command, kind, &w))
			break;
		rc = put_word(call, &w, call->word[i], doc, e);
		kind += !w.is_rest;
	}
	for (unsigned i = 0; i < call->n_options && rc == 0; i++)
		rc = put_option(call->option[i].option, doc,
		    call->option[i].value ? call->option[i].value : "", e);
	return rc;
}

int
body_build(const struct call *call, json_t **out, struct err *e)
{
	const struct command *c = call->command;
	const char *file = args_option(call, "-f");
	json_t *doc = NULL;
	int rc;

	*out = NULL;
	if (c->type || strcmp(c->method, "GET") == 0 ||
	    strcmp(c->method, "DELETE") == 0)
		return 0;
	if (file) {
		rc = read_json(file, &doc, e);
		if (rc < 0)
			return rc;
	} else {
		doc = c->body ? json_loads(c->body, 0, NULL) : json_object();
	}
	rc = put_all(call, doc, e);
	if (rc < 0) {
		json_decref(doc);
		return rc;
	}
	*out = doc;
	return 0;
}
