/* SPDX-License-Identifier: Apache-2.0 */
/* faults: see faults.h. */
#include "agent/faults.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

enum { FILE_BYTES = 64 << 10, WRITE_MS = 1000, HOUR_MS = 3600 * 1000 };

static const char name[] = "faults.json";

uint64_t
faults_boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

const char *
faults_boot_id(void)
{
	static char id[FAULTS_BOOT];
	scoped_close int fd = -1;
	ssize_t n;

	if (id[0] != '\0')
		return id;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, id, sizeof(id) - 1);
	id[n < 0 ? 0 : n] = '\0';
	id[strcspn(id, "\n")] = '\0';
	return id;
}

/* --- the file ------------------------------------------------------------- */

static void
copy(char *out, size_t size, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	snprintf(out, size, "%s", s ? s : "");
}

static void
read_fault(struct fault *f, const json_t *o)
{
	const json_t *status = json_object_get(o, "status");
	json_int_t count = json_integer_value(json_object_get(o, "count"));

	*f = (struct fault){ .status = -1, .count = 1 };
	copy(f->time, sizeof(f->time), o, "time");
	copy(f->what, sizeof(f->what), o, "what");
	copy(f->detail, sizeof(f->detail), o, "detail");
	copy(f->remedy, sizeof(f->remedy), o, "remedy");
	if (json_is_integer(status))
		f->status = (int)json_integer_value(status);
	if (count > 1)
		f->count = (uint64_t)count;
}

/* What is about a life of the machine that is over does not count. */
static void
read_life(struct faults *f, const json_t *o)
{
	const json_t *down = json_object_get(o, "down"), *v;
	size_t i;

	copy(f->boot, sizeof(f->boot), o, "boot");
	if (f->boot[0] == '\0' || strcmp(f->boot, faults_boot_id()) != 0)
		return;
	f->up = json_is_true(json_object_get(o, "up"));
	f->down = json_is_object(down);
	if (f->down)
		read_fault(&f->why, down);
	json_array_foreach(json_object_get(o, "restarts"), i, v)
	{
		if (i < MODEL_MAX_RESTARTS)
			f->restart_ms[f->n_restarts++] =
			    (uint64_t)json_integer_value(v);
	}
}

void
faults_open(struct faults *f, const char *dir)
{
	scoped_free char *text = NULL;
	json_t *o, *v;
	size_t n, i;

	*f = (struct faults){ 0 };
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	text = durable_read(dir, name, FILE_BYTES, &n);
	o = text ? json_loadb(text, n, 0, NULL) : NULL;
	if (text && !o)
		log_warn("%s/%s cannot be read", dir, name);
	read_life(f, o);
	json_array_foreach(json_object_get(o, "faults"), i, v)
	{
		if (i < FAULTS_KEPT)
			read_fault(&f->list[f->n++], v);
	}
	json_decref(o);
}

static json_t *
fault_json(const struct fault *f)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:I}", "time", f->time,
	    "what", f->what, "detail", f->detail, "remedy", f->remedy, "status",
	    f->status, "count", (json_int_t)f->count);
}

static char *
file_text(const struct faults *f)
{
	json_t *list = json_array(), *restarts = json_array(), *o;
	char *text;

	for (unsigned i = 0; i < f->n; i++)
		json_array_append_new(list, fault_json(&f->list[i]));
	for (unsigned i = 0; i < f->n_restarts; i++)
		json_array_append_new(
		    restarts, json_integer((json_int_t)f->restart_ms[i]));
	o = json_pack("{s:s, s:b, s:o, s:o, s:o}", "boot", faults_boot_id(),
	    "up", f->up, "restarts", restarts, "down",
	    f->down ? fault_json(&f->why) : json_null(), "faults", list);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

/* Not synced, but whole or not at all. */
static int
put_file(const char *dir, const char *text)
{
	char path[DURABLE_PATH + 32], beside[DURABLE_PATH + 36];
	scoped_close int fd = -1;
	size_t n = strlen(text);
	struct err e;

	if (durable_folder(dir, &e) < 0)
		return e.no;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != (ssize_t)n || rename(beside, path) < 0) {
		unlink(beside);
		return -EIO;
	}
	return 0;
}

unsigned
faults_write(struct faults *f)
{
	uint64_t now = loop_now_ms();
	scoped_free char *text = NULL;

	if (!f->dirty)
		return 0;
	if (f->written_ms && now - f->written_ms < WRITE_MS)
		return WRITE_MS - (unsigned)(now - f->written_ms);
	text = file_text(f);
	if (!text || put_file(f->dir, text) < 0)
		log_warn("%s/%s cannot be written", f->dir, name);
	f->written_ms = now;
	f->dirty = false;
	return 0;
}

/* --- what happens --------------------------------------------------------- */

static void
fill(struct fault *f, const char *what, const char *remedy, const char *detail)
{
	model_time_text(time(NULL), f->time, sizeof(f->time));
	snprintf(f->what, sizeof(f->what), "%s", what);
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
	snprintf(f->detail, sizeof(f->detail), "%s", detail);
	problem_clean_text(f->detail);
}

void
faults_add(struct faults *f, const char *what, int status, const char *remedy,
    const char *detail)
{
	struct fault *at = &f->list[0];
	struct fault now = { .status = status, .count = 1 };

	fill(&now, what, remedy, detail);
	f->dirty = true;
	if (f->n > 0 && at->status == status && strcmp(at->what, what) == 0 &&
	    strcmp(at->detail, now.detail) == 0) {
		now.count = at->count + 1;
		*at = now;
		return;
	}
	f->n = MIN(f->n + 1, (unsigned)FAULTS_KEPT);
	memmove(at + 1, at, (f->n - 1) * sizeof(*at));
	*at = now;
}

void
faults_set_up(struct faults *f, bool up)
{
	if (f->up == up && !(up && f->down))
		return;
	f->up = up;
	f->down = f->down && !up;
	f->dirty = true;
}

void
faults_set_down(struct faults *f, const char *remedy, const char *detail)
{
	f->down = f->dirty = true;
	f->up = false;
	f->why = (struct fault){ .status = -1, .count = 1 };
	fill(&f->why, "down", remedy, detail);
}

void
faults_forgive(struct faults *f)
{
	f->dirty = f->dirty || f->down;
	f->down = false;
}

bool
faults_count_restart(struct faults *f, unsigned max, uint64_t now_ms)
{
	unsigned old = 0, kept;

	while (old < f->n_restarts &&
	       now_ms - f->restart_ms[old] >= (uint64_t)HOUR_MS)
		old++;
	kept = f->n_restarts - old;
	if (max > 0 && kept >= max)
		return false;
	if (kept == MODEL_MAX_RESTARTS) {
		old++; /* nobody asks for more than that */
		kept--;
	}
	memmove(
	    f->restart_ms, f->restart_ms + old, kept * sizeof(*f->restart_ms));
	f->restart_ms[kept] = now_ms;
	f->n_restarts = kept + 1;
	f->dirty = true;
	return true;
}

/* --- for clients ---------------------------------------------------------- */

json_t *
faults_json(const struct faults *f)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < f->n; i++) {
		const struct fault *x = &f->list[i];
		bool known = x->status >= 0;
		json_t *code = known && WIFEXITED(x->status)
				   ? json_integer(WEXITSTATUS(x->status))
				   : json_null();
		json_t *signal = known && WIFSIGNALED(x->status)
				     ? json_integer(WTERMSIG(x->status))
				     : json_null();

		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:I, s:o, s:o, s:s, s:s}", "time",
			x->time, "what", x->what, "count", (json_int_t)x->count,
			"exit_code", code, "signal", signal, "detail",
			x->detail, "remedy", x->remedy));
	}
	return list;
}
