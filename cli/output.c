/* SPDX-License-Identifier: Apache-2.0 */
/* output: see output.h. */
#include "cli/output.h"

#include "cli/value.h"
#include "cli/yaml.h"
#include "lib/base.h"

#include <ctype.h>
#include <sys/ioctl.h>

enum { MAX_COLUMNS = 32, MIN_WIDTH = 4 };

struct column {
	char title[64];
	char path[128];
	unsigned width;
	bool has_text, has_number;
};

struct table {
	struct column column[MAX_COLUMNS];
	unsigned n_columns;
	size_t n_rows;
	char **cell; /* n_rows * n_columns, owned */
};

static void
table_free(struct table *t)
{
	for (size_t i = 0; t->cell && i < t->n_rows * t->n_columns; i++)
		free(t->cell[i]);
	free(t->cell);
}

/* --- columns ---------------------------------------------------------------- */

static bool
add_column(struct table *t, const char *title, size_t n_title, const char *path,
    size_t n_path)
{
	struct column *c = &t->column[t->n_columns];

	if (t->n_columns == MAX_COLUMNS || n_title >= sizeof(c->title) ||
	    n_path >= sizeof(c->path) || n_path == 0)
		return false;
	memcpy(c->title, title, n_title);
	memcpy(c->path, path, n_path);
	c->width = (unsigned)n_title;
	t->n_columns++;
	return true;
}

static bool
read_columns(struct table *t, const char *s)
{
	while (*s) {
		size_t title = strcspn(s, "=");
		size_t path;

		if (s[title] == '\0')
			return false;
		path = strcspn(s + title + 1, " ");
		if (!add_column(t, s, title, s + title + 1, path))
			return false;
		s += title + 1 + path;
		s += *s == ' ';
	}
	return t->n_columns > 0;
}

static bool
read_fields(struct table *t, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, ",");

		if (!add_column(t, s, n, s, n))
			return false;
		for (char *p = t->column[t->n_columns - 1].title; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		s += n + (s[n] != '\0');
	}
	return t->n_columns > 0;
}

static int
make_columns(struct table *t, const struct output *o, struct err *e)
{
	if (o->fields && !read_fields(t, o->fields))
		return err_set(e, -EINVAL,
		    "--fields %s: want at most %d names with commas between, "
		    "such as name,status.state",
		    o->fields, MAX_COLUMNS);
	if (!o->fields && !read_columns(t, o->columns))
		return err_set(e, -EINVAL, "columns: %s", o->columns);
	return 0;
}

/* --- rows ------------------------------------------------------------------- */

static size_t
count_rows(const struct output *o, const json_t *doc)
{
	if (!o->rows)
		return 1;
	return json_array_size(json_object_get(doc, o->rows));
}

static const json_t *
row_of(const struct output *o, const json_t *doc, size_t i)
{
	return o->rows ? json_array_get(json_object_get(doc, o->rows), i) : doc;
}

/* Characters, as far as each is one column wide. */
static unsigned
text_width(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static int
fill(struct table *t, const struct output *o, const json_t *doc)
{
	t->n_rows = count_rows(o, doc);
	t->cell = calloc(t->n_rows * t->n_columns + 1, sizeof(*t->cell));
	if (!t->cell)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_rows * t->n_columns; i++) {
		struct column *c = &t->column[i % t->n_columns];
		json_auto_t *v =
		    value_at(row_of(o, doc, i / t->n_columns), c->path);

		t->cell[i] = value_text(v);
		if (!t->cell[i])
			return -ENOMEM;
		c->width = MAX(c->width, text_width(t->cell[i]));
		c->has_text = c->has_text ||
			      (v && !json_is_number(v) && !json_is_null(v));
		c->has_number = c->has_number || json_is_number(v);
	}
	return 0;
}

/* --- table ------------------------------------------------------------------ */

/* The widest column gives way, one by one, until all fit. */
static void
shrink(struct table *t, unsigned width)
{
	for (;;) {
		unsigned sum = 2 * (t->n_columns - 1);
		struct column *widest = &t->column[0];

		for (unsigned i = 0; i < t->n_columns; i++) {
			sum += t->column[i].width;
			if (t->column[i].width > widest->width)
				widest = &t->column[i];
		}
		if (sum <= width || widest->width <= MIN_WIDTH)
			return;
		widest->width--;
	}
}

static void
print_cell(FILE *f, const struct column *c, const char *text, bool is_last)
{
	unsigned n = text_width(text);

	if (c->has_number && !c->has_text && n <= c->width) {
		fprintf(f, "%*s%s", (int)(c->width - n), "", text);
	} else if (n <= c->width) {
		fputs(text, f);
		if (!is_last)
			fprintf(f, "%*s", (int)(c->width - n), "");
	} else {
		for (n = 0; n < c->width - 1; n++)
			do
				fputc(*text++, f);
			while (((unsigned char)*text & 0xc0) == 0x80);
		fputc('~', f);
	}
	if (!is_last)
		fputs("  ", f);
}

static void
print_table(FILE *f, struct table *t, unsigned width)
{
	unsigned n = t->n_columns;

	if (width > 0)
		shrink(t, width);
	for (unsigned i = 0; i < n; i++)
		print_cell(f, &t->column[i], t->column[i].title, i + 1 == n);
	fputc('\n', f);
	for (size_t i = 0; i < t->n_rows * n; i++) {
		print_cell(f, &t->column[i % n], t->cell[i], i % n == n - 1);
		if (i % n == n - 1)
			fputc('\n', f);
	}
}

/* --- csv, names ------------------------------------------------------------- */

static void
print_csv_cell(FILE *f, const char *s, char end)
{
	if (strpbrk(s, ",\"")) {
		fputc('"', f);
		for (; *s; s++) {
			if (*s == '"')
				fputc('"', f);
			fputc(*s, f);
		}
		fputc('"', f);
	} else {
		fputs(s, f);
	}
	fputc(end, f);
}

static void
print_csv(FILE *f, const struct table *t)
{
	unsigned n = t->n_columns;

	for (unsigned i = 0; i < n; i++)
		print_csv_cell(f, t->column[i].title, i + 1 == n ? '\n' : ',');
	for (size_t i = 0; i < t->n_rows * n; i++)
		print_csv_cell(f, t->cell[i], i % n == n - 1 ? '\n' : ',');
}

/* --- documents -------------------------------------------------------------- */

static json_t *
pick_row(const struct table *t, const json_t *row)
{
	json_t *out = json_object();

	for (unsigned i = 0; i < t->n_columns; i++) {
		json_t *v = value_at(row, t->column[i].path);

		json_object_set_new(
		    out, t->column[i].path, v ? v : json_null());
	}
	return out;
}

/* The document with the wanted fields alone, under their paths. */
static json_t *
pick(const struct table *t, const struct output *o, const json_t *doc)
{
	json_t *list, *out;

	if (!o->rows)
		return pick_row(t, doc);
	list = json_array();
	for (size_t i = 0; i < count_rows(o, doc); i++)
		json_array_append_new(list, pick_row(t, row_of(o, doc, i)));
	out = json_object();
	json_object_set_new(out, o->rows, list);
	return out;
}

static int
print_document(
    FILE *f, const struct output *o, const json_t *doc, struct err *e)
{
	struct table t = { 0 };
	json_auto_t *picked = NULL;
	int rc;

	if (o->fields) {
		rc = make_columns(&t, o, e);
		if (rc < 0)
			return rc;
		picked = pick(&t, o, doc);
		doc = picked;
	}
	if (o->format == FORMAT_YAML) {
		yaml_print(f, doc);
		return 0;
	}
	json_dumpf(doc, f, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', f);
	return 0;
}

static void
print_names(
    FILE *f, const struct output *o, const struct table *t, const json_t *doc)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		json_auto_t *v = value_at(row_of(o, doc, i), "name");
		scoped_free char *text = v ? value_text(v) : NULL;

		fprintf(f, "%s\n", text ? text : t->cell[i * t->n_columns]);
	}
}

int
output_print(FILE *f, const struct output *o, const json_t *doc, struct err *e)
{
	struct table t = { 0 };
	int rc;

	if (o->format == FORMAT_JSON || o->format == FORMAT_YAML)
		return print_document(f, o, doc, e);
	rc = make_columns(&t, o, e);
	if (rc < 0)
		return rc;
	rc = fill(&t, o, doc);
	if (rc < 0)
		err_set(e, rc, "no memory");
	else if (o->format == FORMAT_CSV)
		print_csv(f, &t);
	else if (o->format == FORMAT_NAME)
		print_names(f, o, &t, doc);
	else
		print_table(f, &t, o->width);
	table_free(&t);
	return rc;
}

int
output_format(const char *name)
{
	static const char *const names[] = { [FORMAT_TABLE] = "table",
		[FORMAT_JSON] = "json",
		[FORMAT_YAML] = "yaml",
		[FORMAT_CSV] = "csv",
		[FORMAT_NAME] = "name" };

	for (unsigned i = FORMAT_TABLE; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	return -EINVAL;
}

unsigned
output_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	return w.ws_col;
}
