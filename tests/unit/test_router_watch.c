/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_watch: a change of the configuration is noticed, once, whether the
 * kernel gives an inotify instance or not. In a user namespace whose limit is 0
 * it gives none, as to the 129th router of a node.
 */
#include "lib/base.h"
#include "router/watch.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96], other[96];

static void
write_file(const char *at, const char *text)
{
	FILE *f = fopen(at, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
replace(const char *text)
{
	char next[128];

	snprintf(next, sizeof(next), "%s.next", path);
	write_file(next, text);
	assert_int_equal(rename(next, path), 0);
}

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/europa-watch.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/router.conf", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	return rmdir(folder);
}

static void
notice_what_changes(struct watch *w)
{
	assert_false(watch_changed(w)); /* it is not there yet */
	write_file(path, "one");
	assert_true(watch_changed(w));
	assert_false(watch_changed(w));
	replace("two");
	assert_true(watch_changed(w));
	assert_false(watch_changed(w));
	write_file(other, "three");
	assert_false(watch_changed(w));
	unlink(path);
	assert_false(watch_changed(w)); /* what is in force stays */
	replace("four");
	assert_true(watch_changed(w));
}

static void
changes_are_noticed(void **state)
{
	struct watch w;

	(void)state;
	assert_int_equal(watch_open(&w, path), 0);
	assert_true(w.fd >= 0);
	notice_what_changes(&w);
	watch_close(&w);
}

static void
forbid_inotify(void)
{
	int fd =
	    open("/proc/sys/user/max_inotify_instances", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0", 1), 1);
	close(fd);
}

static void
changes_are_noticed_without_inotify(void **state)
{
	struct watch w;
	int status;
	/* fork() and unshare() in one: the latter wants a single thread */
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		forbid_inotify();
		assert_int_equal(watch_open(&w, path), 0);
		assert_int_equal(w.fd, -1);
		notice_what_changes(&w);
		watch_close(&w);
		_exit(0);
	}
	assert_int_equal(waitpid((pid_t)pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
no_folder_is_an_error(void **state)
{
	struct watch w;

	(void)state;
	assert_int_equal(watch_open(&w, "/nonexistent/router.conf"), -ENOENT);
	assert_int_equal(w.fd, -1);
}

#define WATCH_TEST(f) \
	cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WATCH_TEST(changes_are_noticed),
		WATCH_TEST(changes_are_noticed_without_inotify),
		WATCH_TEST(no_folder_is_an_error),
	};

	return cmocka_run_group_tests_name("router_watch", tests, NULL, NULL);
}
