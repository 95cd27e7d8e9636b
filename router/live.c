/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live: from a file to a revision that has been checked. See live.h.
 */
#include "router/live.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "router/rehearse.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { FD_EVENT, FD_CHECK, FD_FILE };

static bool
is_builtin(const char *word)
{
	return strcmp(word, "lua") == 0 || strcmp(word, "c") == 0;
}

/* --- check ---------------------------------------------------------------- */

/* "-- author: NAME" as the first line, else the owner of the file. */
static void
find_author(const char *path, const char *text, char *out, size_t size)
{
	static const char key[] = "-- author: ";
	struct stat st = { .st_uid = 0 };

	if (strncmp(text, key, sizeof(key) - 1) == 0) {
		text += sizeof(key) - 1;
		snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
		return;
	}
	(void)stat(path, &st);
	snprintf(out, size, "uid:%u", (unsigned)st.st_uid);
}

static void
refuse(struct live *l, unsigned number, const struct err *e)
{
	log_err("pipeline refused revision=%u: %s", number, e->msg);
	revisions_set(&l->revisions, number, REVISION_REFUSED, e->msg);
}

static void
give_up_check(struct live *l)
{
	struct err e;

	if (l->checker.pid == 0)
		return;
	kill(l->checker.pid, SIGKILL);
	rehearse_end(&l->checker, l->word, &e);
	err_set(&e, -ECANCELED, "a newer one came before its check ended");
	refuse(l, l->checked, &e);
}

/* The checker has said all that it says. */
static void
finish_check(struct live *l)
{
	unsigned number = l->checked;
	struct err report, e;
	int rc = rehearse_end(&l->checker, l->word, &report);

	if (rc < 0) {
		refuse(l, number, &report);
		return;
	}
	log_info("pipeline checked revision=%u: %s", number, report.msg);
	if (live_take_over(l, number, &e) < 0)
		refuse(l, number, &e);
	else
		revisions_set(
		    &l->revisions, number, REVISION_RUNNING, report.msg);
}

/*
 * A new text, unless it is the last one that came. Returns its revision; 0: it
 * cannot be stored.
 */
static unsigned
submit_text(struct live *l, const struct script_text *t, const char *author)
{
	const struct revision *v = revisions_newest(&l->revisions);
	char digest[SHA256_HEX];
	struct err e;
	int rc;

	sha256_hex(t->text, t->len, digest);
	if (v && strcmp(v->digest, digest) == 0)
		return v->number;
	give_up_check(l);
	v = revisions_add(&l->revisions, t, author);
	if (!v)
		return 0;
	l->checked = v->number;
	log_info("pipeline given revision=%u author=%s sha256=%s", v->number,
	    v->author, v->digest);
	rc = rehearse_spawn(&l->checker, t);
	if (rc < 0) {
		err_set(&e, rc, "no check: %s", strerror(-rc));
		refuse(l, l->checked, &e);
	}
	return l->checked;
}

/* A new text at word. */
static void
submit(struct live *l)
{
	struct script_text t = { .name = l->word };
	scoped_free char *text = NULL;
	char author[32];
	struct err e;

	t.text = text = revisions_read_file(l->word, &t.len, &e);
	if (!text) {
		log_err("pipeline not read: %s", e.msg);
		return;
	}
	find_author(l->word, text, author, sizeof(author));
	submit_text(l, &t, author);
}

/* --- what is wanted ------------------------------------------------------- */

int
live_go_back(struct live *l, unsigned number, struct err *e)
{
	struct revision *v = revisions_find(&l->revisions, number);

	if (number == l->number[LIVE_NOW])
		return 0;
	if (number > 0 && (!v || v->state == REVISION_REFUSED ||
			      v->state == REVISION_CHECKING))
		return err_set(
		    e, -ENOENT, "no revision to go back to: %u", number);
	return live_take_over(l, number, e);
}

static void
go_back(struct live *l, unsigned number)
{
	struct err e;

	if (live_go_back(l, number, &e) < 0)
		log_err("pipeline kept: %s", e.msg);
}

/* Taken first, then obeyed: another one may come meanwhile. */
static void
read_want(struct live *l)
{
	char path[PATH_MAX + 8];
	unsigned number;
	FILE *in;

	snprintf(path, sizeof(path), "%s.now", l->want_path);
	if (rename(l->want_path, path) < 0)
		return;
	in = fopen(path, "re");
	if (in && fscanf(in, "%9u", &number) == 1)
		go_back(l, number);
	else
		log_err("%s: no number", l->want_path);
	if (in)
		fclose(in);
	unlink(path);
}

/* When router.conf does not say: the owner's file, the template's, our own. */
static const char *
default_word(const struct live *l)
{
	if (access(l->own_path, R_OK) == 0)
		return l->own_path;
	return access(LIVE_FILE, R_OK) == 0 ? LIVE_FILE : LIVE_DEFAULT;
}

/* Another of the two that this program brings along. */
static void
select_builtin(struct live *l, const char *word)
{
	bool same = l->builtin_c == (strcmp(word, "c") == 0);
	struct err e;

	if (same && l->number[LIVE_NOW] == 0)
		return;
	l->builtin_c = strcmp(word, "c") == 0;
	if (!same && l->has_spare && l->number[LIVE_SPARE] == 0)
		l->number[LIVE_SPARE] = UINT_MAX; /* not this one any more */
	if (live_take_over(l, 0, &e) < 0)
		log_err("pipeline kept: %s", e.msg);
}

static void
select_word(struct live *l, const char *word)
{
	snprintf(l->word, sizeof(l->word), "%s", word);
	if (is_builtin(word)) {
		give_up_check(l);
		select_builtin(l, word);
	} else {
		submit(l);
	}
}

void
live_select(struct live *l, const char *said)
{
	const char *word = said ? said : default_word(l);
	const char *watched = said && !is_builtin(said) ? said : l->own_path;

	l->said = said != NULL;
	if (strcmp(watched, l->watched) != 0) {
		watch_close(&l->file);
		snprintf(l->watched, sizeof(l->watched), "%s", watched);
		/* events of our own folder are router.conf's */
		if (watched == l->own_path)
			watch_look(&l->file, l->watched);
		else if (watch_open(&l->file, l->watched) < 0)
			log_warn("%s: its folder is not watched", l->watched);
	}
	if (strcmp(word, l->word) != 0)
		select_word(l, word);
}

/* The whole text in the owner's file, or what was there. */
static int
write_own(struct live *l, const char *text, size_t len, struct err *e)
{
	char path[PATH_MAX + 8];
	scoped_close int fd = -1;

	snprintf(path, sizeof(path), "%s.new", l->own_path);
	fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
	    rename(path, l->own_path) < 0) {
		err_set(e, -EIO, "%s: %s", path, strerror(errno));
		unlink(path);
		return -EIO;
	}
	return 0;
}

unsigned
live_put(struct live *l, const char *text, size_t len, const char *author,
    struct err *e)
{
	struct script_text t = {
		.name = l->own_path, .text = text, .len = len
	};
	struct revision *v;
	unsigned number;

	if (l->said) {
		err_set(
		    e, -EBUSY, "router.conf says what forwards: %s", l->word);
		return 0;
	}
	if (write_own(l, text, len, e) < 0)
		return 0;
	snprintf(l->word, sizeof(l->word), "%s", l->own_path);
	number = submit_text(l, &t, author);
	v = revisions_find(&l->revisions, number);
	if (!v)
		err_set(e, -EIO, "it cannot be stored");
	else if (v->state == REVISION_REPLACED &&
		 live_go_back(l, number, e) < 0)
		return 0;
	return v ? number : 0;
}

static void
file_changed(struct live *l)
{
	const char *word = l->said ? l->word : default_word(l);

	if (strcmp(word, l->word) != 0)
		select_word(l, word);
	else if (!is_builtin(word))
		submit(l);
}

/* --- life ----------------------------------------------------------------- */

int
live_open(struct live *l, const char *conf, struct fast *fast, unsigned n)
{
	const char *slash = strrchr(conf, '/');
	char folder[PATH_MAX - 64], dir[PATH_MAX - 32];
	int rc;

	*l = (struct live){
		.fast = fast,
		.n_fast = n,
		.checker = { .fd = -1 },
		.file = { .fd = -1 },
		.want = { .fd = -1 },
		.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (l->event < 0)
		return -errno;
	l->dog.event = l->event;
	for (unsigned f = 0; f < n; f++) {
		seat_init(&fast[f].seat, l->event);
		fast[f].pulse.dog = &l->dog;
	}
	if ((size_t)snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash - conf) : 1,
		slash ? conf : ".") >= sizeof(folder))
		return -ENAMETOOLONG;
	snprintf(l->own_path, sizeof(l->own_path), "%s/" LIVE_OWN, folder);
	snprintf(dir, sizeof(dir), "%s/pipelines", folder);
	rc = revisions_open(&l->revisions, dir);
	if (rc < 0) /* only what it brings along can be had then */
		log_warn("%s: %s", dir, strerror(-rc));
	snprintf(l->want_path, sizeof(l->want_path), "%s/" LIVE_WANT, folder);
	watch_look(&l->want, l->want_path);
	return 0;
}

void
live_close(struct live *l)
{
	give_up_check(l);
	for (unsigned f = 0; f < l->n_fast; f++) {
		script_free(l->script[LIVE_NOW][f]);
		script_free(l->script[LIVE_SPARE][f]);
		seat_destroy(&l->fast[f].seat);
	}
	watch_close(&l->file);
	base_close(l->event);
	*l = (struct live){ .event = -1 };
}

/* EUROPA_LAST_END is the status of wait(2) of the process before this one. */
static void
judge_last_end(struct live *l)
{
	unsigned number = revisions_running(&l->revisions);
	const char *text = getenv("EUROPA_LAST_END");
	int status = text ? atoi(text) : 0;
	char why[64];

	/* SIGKILL comes from outside, or from end_process() */
	if (number == 0 || !WIFSIGNALED(status) ||
	    WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM ||
	    WTERMSIG(status) == SIGINT)
		return;
	snprintf(
	    why, sizeof(why), "it crashed: %s", strsignal(WTERMSIG(status)));
	log_err("the pipeline failed revision=%u: %s", number, why);
	revisions_fail(&l->revisions, number, why);
}

void
live_begin(struct live *l, const char *said)
{
	const char *word = said ? said : default_word(l);
	unsigned number;
	struct err e;

	l->builtin_c = strcmp(is_builtin(word) ? word : LIVE_DEFAULT, "c") == 0;
	judge_last_end(l);
	number = is_builtin(word) ? 0 : revisions_running(&l->revisions);
	l->number[LIVE_NOW] = number;
	if (live_take_over(l, number, &e) < 0)
		live_failed(l, e.msg);
	live_select(l, said);
	/* no packet passes before the first pipeline has been looked at */
	while (l->checker.pid != 0) {
		struct pollfd p = { .fd = l->checker.fd, .events = POLLIN };

		poll(&p, 1, WATCHDOG_TICK_MS);
		if (rehearse_hear(&l->checker))
			finish_check(l);
	}
	l->begun = true;
}

/* --- turns ---------------------------------------------------------------- */

void
live_poll(struct live *l, struct pollfd *fds)
{
	fds[FD_EVENT] = (struct pollfd){ .fd = l->event, .events = POLLIN };
	fds[FD_CHECK] =
	    (struct pollfd){ .fd = l->checker.fd, .events = POLLIN };
	fds[FD_FILE] = (struct pollfd){ .fd = l->file.fd, .events = POLLIN };
}

int
live_timeout(const struct live *l)
{
	if (l->checker.pid != 0)
		return REHEARSE_MS;
	/* of a file elsewhere nobody tells who has no instance */
	return l->file.fd < 0 && strcmp(l->watched, l->own_path) != 0
		   ? WATCH_LOOK_MS
		   : -1;
}

int
live_look_due(struct live *l)
{
	uint64_t late = loop_now_ms() - l->looked_ms;
	struct pulse *all[VNIC_MAX_QUEUES];

	for (unsigned f = 0; f < l->n_fast; f++)
		all[f] = &l->fast[f].pulse;
	if (watchdog_doze(&l->dog, all, l->n_fast))
		return -1;
	return WATCHDOG_TICK_MS - (int)MIN(late, (uint64_t)WATCHDOG_TICK_MS);
}

static void
hear_fast_paths(struct live *l)
{
	uint64_t n;
	struct err why;

	if (read(l->event, &n, sizeof(n)) < 0) {
		/* it was for nothing */
	}
	for (unsigned f = 0; f < l->n_fast; f++)
		if (seat_has_thrown(&l->fast[f].seat, &why)) {
			live_failed(l, why.msg);
			return; /* all have another one now */
		}
}

void
live_turn(struct live *l, const struct pollfd *fds)
{
	watchdog_rise(&l->dog);
	live_look(l);
	if (fds[FD_EVENT].revents)
		hear_fast_paths(l);
	if (l->checker.pid != 0 && rehearse_hear(&l->checker))
		finish_check(l);
	if (watch_changed(&l->file))
		file_changed(l);
	if (watch_changed(&l->want))
		read_want(l);
}
