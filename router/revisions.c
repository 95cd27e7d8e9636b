/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revisions: see revisions.h.
 */
#include "router/revisions.h"

#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static const char *const state_names[] = {
	[REVISION_CHECKING] = "checking",
	[REVISION_REFUSED] = "refused",
	[REVISION_RUNNING] = "running",
	[REVISION_REPLACED] = "replaced",
	[REVISION_FAILED] = "failed",
};

const char *
revision_state_name(enum revision_state state)
{
	return state_names[state];
}

static void
path_of(const struct revisions *r, unsigned number, char *path)
{
	snprintf(path, PATH_MAX, "%s/%u.lua", r->dir, number);
}

/* --- the list ------------------------------------------------------------- */

static bool
read_line(const char *line, struct revision *v)
{
	char state[16];

	*v = (struct revision){ 0 };
	if (sscanf(line, "%u %15s %u %" SCNd64 " %64s %31s %255[^\n]",
		&v->number, state, &v->previous, &v->time, v->digest, v->author,
		v->why) < 6 ||
	    v->number == 0)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(state_names); i++)
		if (strcmp(state, state_names[i]) == 0) {
			v->state = (enum revision_state)i;
			return true;
		}
	return false;
}

static void
read_list(struct revisions *r)
{
	char path[PATH_MAX], line[512];
	FILE *in;

	snprintf(path, sizeof(path), "%s/list", r->dir);
	in = fopen(path, "re");
	if (!in)
		return;
	while (r->n < REVISIONS_KEPT && fgets(line, sizeof(line), in)) {
		if (!read_line(line, &r->list[r->n])) {
			log_warn("%s: not understood, begun anew", path);
			r->n = 0;
			break;
		}
		/* its check did not end: it may be given again */
		if (r->list[r->n].state != REVISION_CHECKING)
			r->n++;
	}
	fclose(in);
}

static void
write_list(const struct revisions *r)
{
	char path[PATH_MAX], new[PATH_MAX];
	bool good = true;
	FILE *out;

	snprintf(path, sizeof(path), "%s/list", r->dir);
	snprintf(new, sizeof(new), "%s/.list", r->dir);
	out = fopen(new, "we");
	if (!out) {
		log_err("%s: %s", new, strerror(errno));
		return;
	}
	for (unsigned i = 0; i < r->n; i++) {
		const struct revision *v = &r->list[i];

		good &=
		    fprintf(out, "%u %s %u %" PRId64 " %s %s %s\n", v->number,
			state_names[v->state], v->previous, v->time, v->digest,
			v->author, v->why[0] ? v->why : "-") > 0;
	}
	good &= fclose(out) == 0;
	if (!good || rename(new, path) < 0)
		log_err("%s: %s", path, strerror(errno));
}

int
revisions_open(struct revisions *r, const char *dir)
{
	r->n = 0;
	if ((size_t)snprintf(r->dir, sizeof(r->dir), "%s", dir) >=
	    sizeof(r->dir))
		return -ENAMETOOLONG;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	read_list(r);
	return 0;
}

/* --- one revision --------------------------------------------------------- */

struct revision *
revisions_find(struct revisions *r, unsigned number)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->list[i].number == number)
			return &r->list[i];
	return NULL;
}

struct revision *
revisions_newest(struct revisions *r)
{
	return r->n > 0 ? &r->list[r->n - 1] : NULL;
}

unsigned
revisions_running(const struct revisions *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->list[i].state == REVISION_RUNNING)
			return r->list[i].number;
	return 0;
}

/* The oldest goes that neither runs nor ran just before what runs. */
static void
make_room(struct revisions *r)
{
	struct revision *now = revisions_find(r, revisions_running(r));
	char path[PATH_MAX];
	unsigned i = 0;

	if (r->n < REVISIONS_KEPT)
		return;
	while (now && (r->list[i].number == now->number ||
			  r->list[i].number == now->previous))
		i++;
	path_of(r, r->list[i].number, path);
	unlink(path);
	memmove(
	    &r->list[i], &r->list[i + 1], (r->n - i - 1) * sizeof(*r->list));
	r->n--;
}

static int
write_text(const char *path, const struct script_text *t)
{
	scoped_close int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	return write(fd, t->text, t->len) == (ssize_t)t->len ? 0 : -EIO;
}

/* A word of its own: it stands in a line. */
static void
copy_word(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		to[n++] = *from > ' ' && *from < 127 ? *from : '_';
	if (n == 0)
		to[n++] = '-';
	to[n] = '\0';
}

struct revision *
revisions_add(
    struct revisions *r, const struct script_text *t, const char *author)
{
	struct revision *v = revisions_newest(r);
	unsigned number = v ? v->number + 1 : 1;
	char path[PATH_MAX];
	int rc;

	path_of(r, number, path);
	rc = write_text(path, t);
	if (rc < 0) {
		log_err("%s: %s", path, strerror(-rc));
		return NULL;
	}
	make_room(r);
	v = &r->list[r->n++];
	*v = (struct revision){
		.number = number,
		.state = REVISION_CHECKING,
		.time = time(NULL),
	};
	sha256_hex(t->text, t->len, v->digest);
	copy_word(v->author, sizeof(v->author), author);
	write_list(r);
	return v;
}

static void
change(struct revisions *r, unsigned number, enum revision_state state,
    const char *why)
{
	struct revision *v = revisions_find(r, number);

	if (!v)
		return;
	v->state = state;
	v->why[0] = '\0';
	if (why)
		snprintf(v->why, sizeof(v->why), "%s", why);
	/* one line, whatever it says */
	for (char *c = v->why; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

void
revisions_set(struct revisions *r, unsigned number, enum revision_state state,
    const char *why)
{
	change(r, number, state, why);
	write_list(r);
}

/* Who reads the list sees both changes or none. */
void
revisions_run(struct revisions *r, unsigned number)
{
	unsigned old = revisions_running(r);
	struct revision *v = revisions_find(r, number);

	if (v && old != number)
		v->previous = old;
	if (old != number)
		change(r, old, REVISION_REPLACED, NULL);
	revisions_set(r, number, REVISION_RUNNING, NULL);
}

static unsigned
who_ran_before(struct revisions *r, unsigned number)
{
	/* a chain that goes in a circle ends too */
	for (unsigned i = 0; number != 0 && i < REVISIONS_KEPT; i++) {
		const struct revision *v = revisions_find(r, number);

		number = v ? v->previous : 0;
		v = revisions_find(r, number);
		if (v && v->state == REVISION_REPLACED)
			return number;
	}
	return 0;
}

unsigned
revisions_fail(struct revisions *r, unsigned number, const char *why)
{
	unsigned now = revisions_running(r);

	change(r, number, REVISION_FAILED, why);
	if (number == now) { /* else it is another one's turn already */
		now = who_ran_before(r, number);
		change(r, now, REVISION_RUNNING, NULL);
	}
	write_list(r);
	return now;
}

/* --- texts ---------------------------------------------------------------- */

char *
revisions_read_file(const char *path, size_t *len, struct err *e)
{
	scoped_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	scoped_free char *text = NULL;
	size_t n = 0;
	ssize_t k = 1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_set(e, -errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > SCRIPT_MAX_TEXT) {
		err_set(e, -EFBIG, "%s: no file of at most %d KiB", path,
		    SCRIPT_MAX_TEXT >> 10);
		return NULL;
	}
	text = malloc(SCRIPT_MAX_TEXT + 1);
	while (text && n < SCRIPT_MAX_TEXT && k > 0) {
		k = read(fd, text + n, SCRIPT_MAX_TEXT - n);
		n += k > 0 ? (size_t)k : 0;
	}
	if (!text || k < 0) {
		err_set(e, -EIO, "%s: cannot be read", path);
		return NULL;
	}
	text[n] = '\0';
	*len = n;
	return steal_ptr(text);
}

char *
revisions_text(const struct revisions *r, unsigned number, size_t *len)
{
	char path[PATH_MAX];

	path_of(r, number, path);
	return revisions_read_file(path, len, NULL);
}
