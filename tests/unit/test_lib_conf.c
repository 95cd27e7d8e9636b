/* SPDX-License-Identifier: Apache-2.0 */
/* test_lib_conf: conf, err and log: what a person writes and what one reads. */
#include "lib/conf.h"

#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <setjmp.h>
/* cmocka wants setjmp.h and stdarg.h */
#include <cmocka.h>

static struct target {
	char name[8];
	unsigned number;
	bool flag;
} target;

static const char *
check_name(const char *value)
{
	return strcmp(value, "none") == 0 ? "a name" : NULL;
}

static const struct conf_key keys[] = {
	{ "node", "name", CONF_STRING, target.name, sizeof(target.name), 0, 0,
	    check_name },
	{ "node", "number", CONF_UINT, &target.number, 0, 2, 4000000000U,
	    NULL },
	{ "api", "flag", CONF_BOOL, &target.flag, 0, 0, 0, NULL },
};

static int
read_text(const char *text, size_t n, struct err *e)
{
	static const char *const others[] = { "dataplane", NULL };
	char path[] = "/tmp/europa-test-conf-XXXXXX";
	int fd = mkstemp(path);
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	target = (struct target){ "old", 7, true };
	e->msg[0] = '\0';
	rc = conf_read(path, keys, ARRAY_SIZE(keys), others, e);
	unlink(path);
	return rc;
}

static void
expect_bad(const char *text, const char *message)
{
	struct err e;

	assert_int_equal(read_text(text, strlen(text), &e), -EINVAL);
	assert_int_equal(e.no, -EINVAL);
	if (!strstr(e.msg, message))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, message);
}

static void
expect_good(const char *text)
{
	struct err e;

	if (read_text(text, strlen(text), &e) != 0)
		fail_msg("%s", e.msg);
}

static void
values_are_read(void **state)
{
	(void)state;
	expect_good("# a comment\n\n[node]\n  name = r 1 \nnumber=12\r\n"
		    "[api]\nflag = no");
	assert_string_equal(target.name, "r 1");
	assert_int_equal(target.number, 12);
	assert_false(target.flag);
	/* a silent file changes nothing */
	expect_good("");
	assert_string_equal(target.name, "old");
	assert_int_equal(target.number, 7);
	assert_true(target.flag);
	expect_good("[ dataplane ]\nwhatever = x\n[node]\nname =\n");
	assert_string_equal(target.name, "");
	expect_good("[node]\nname = a=b\nnumber = 4000000000\n");
	assert_string_equal(target.name, "a=b");
	assert_int_equal(target.number, 4000000000U);
}

static void
mistakes_name_the_line(void **state)
{
	(void)state;
	expect_bad("[node]\n\nnam = x\n", ":3: unknown key nam in [node]");
	expect_bad("[nod]\n", ":1: unknown section [nod]");
	expect_bad("name = x\n", ":1: unknown key name");
	expect_bad("[api]\nname = x\n", ":2: unknown key name in [api]");
	expect_bad("[node]\nname\n", ":2: want key = value");
	expect_bad("[node\n", ":1: want key = value");
	expect_bad("[node]\nname = 12345678\n", ":2: name is longer than 7");
	expect_bad("[node]\nname = a\nname = b\n", ":3: name is given twice");
	expect_bad("[node]\nname = none\n", ":2: name = none: want a name");
	expect_bad("[api]\nflag = maybe\n", ":2: flag = maybe: want yes or no");
}

/* A name of the same section, two letters away at most. */
static void
a_mistyped_key_is_recognized(void **state)
{
	(void)state;
	expect_bad("[node]\nnumbr = 1\n", ": did you mean number");
	expect_bad("[node]\nnmae = 1\n", ": did you mean name");
	expect_bad("[node]\nnumbers1 = 1\n", ": did you mean number");
	expect_bad("[node]\nflag = 1\n", ": remove it; europa.conf(5)");
	expect_bad("[node]\nnumberings = 1\n", ": remove it");
	expect_bad(
	    "[node]\nnumberrrrrrrrrrrrrrrrrrrrrrrrrrr = 1\n", ": remove it");
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
remove_files(const char *dir, const char *const *name)
{
	char path[128];

	for (; *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *name);
		remove(path);
	}
	rmdir(dir);
}

static void
a_folder_beside_it_is_read_after_it(void **state)
{
	static const char *const files[] = { "c.conf.d/10.conf",
		"c.conf.d/9.conf", "c.conf.d/no.txt", "c.conf.d/.conf",
		"c.conf.d", "c.conf", NULL };
	char dir[] = "/tmp/europa-test-conf-XXXXXX", path[64];
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/c.conf", dir);
	write_file(dir, "c.conf", "[node]\nname = main\nnumber = 3\n");
	assert_int_equal(conf_read_all(path, keys, 3, NULL, &e), 0);
	assert_string_equal(target.name, "main");
	snprintf(path, sizeof(path), "%s/c.conf.d", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(dir, "c.conf.d/10.conf", "[node]\nnumber = 10\n");
	write_file(dir, "c.conf.d/9.conf", "[node]\nnumber = 9\n");
	write_file(dir, "c.conf.d/no.txt", "no");
	write_file(dir, "c.conf.d/.conf", "no");
	snprintf(path, sizeof(path), "%s/c.conf", dir);
	assert_int_equal(conf_read_all(path, keys, 3, NULL, &e), 0);
	assert_string_equal(target.name, "main");
	assert_int_equal(target.number, 9);
	write_file(dir, "c.conf.d/10.conf", "[node]\nnumber = 1\n");
	assert_int_equal(conf_read_all(path, keys, 3, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "/c.conf.d/10.conf:2: number = 1"));
	remove_files(dir, files);
	assert_int_equal(conf_read_all(path, keys, 3, NULL, &e), -ENOENT);
}

static void
numbers_have_a_range(void **state)
{
	static const char *const bad[] = { "1", "4000000001", "-2", "+2", "",
		"2x", "0x10", "99999999999999999999999", "2 3", "2.5" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[64];

		snprintf(text, sizeof(text), "[node]\nnumber = %s\n", bad[i]);
		expect_bad(text, "want a number from 2 to 4000000000");
		assert_int_equal(target.number, 7);
	}
}

static void
what_cannot_be_read_whole_is_refused(void **state)
{
	char text[2100] = "[node]\nname = ";
	struct err e;

	(void)state;
	memset(text + strlen(text), ' ', 2000);
	strcpy(text + 2000, "x\n");
	expect_bad(text, ":2: line is too long");
	assert_int_equal(read_text("[node]\nname = a\0b\n", 18, &e), -EINVAL);
	assert_int_equal(conf_read("/", keys, 3, NULL, &e), -EIO);
	assert_int_equal(
	    conf_read("/nonexistent/x", keys, 3, NULL, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/nonexistent/x: No such file"));
	assert_int_equal(
	    conf_read("/nonexistent/x", keys, 3, NULL, NULL), -ENOENT);
}

static void
errors_gather_context(void **state)
{
	char longer[1000];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, -ENOSPC, "pool needs %d", 7), -ENOSPC);
	assert_int_equal(err_wrap(&e, "start router %s", "r1"), -ENOSPC);
	assert_string_equal(e.msg, "start router r1: pool needs 7");
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_wrap(NULL, "x"), 0);
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(err_wrap(&e, "%s", longer), -ENOSPC);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(err_set(&e, -EIO, "%s", longer), -EIO);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
}

/* Runs fn with stderr in a file; returns what was written. */
static const char *
logged(void (*fn)(void))
{
	static char text[4096];
	char path[] = "/tmp/europa-test-log-XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_true(fd >= 0 && saved >= 0);
	dup2(fd, STDERR_FILENO);
	fn();
	dup2(saved, STDERR_FILENO);
	n = pread(fd, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(saved);
	close(fd);
	unlink(path);
	return text;
}

static void
log_some(void)
{
	errno = EBUSY;
	log_debug("not this");
	log_info("a port is up port=%d", 1);
	log_err("forged\nerror: line \x1b[31m");
	assert_int_equal(errno, EBUSY);
}

static void
log_long(void)
{
	char longer[3000];

	memset(longer, 'z', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_warn("%s", longer);
}

static void
a_log_line_is_one_line(void **state)
{
	const char *text;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init("test", LOG_LEVEL_INFO);
	assert_string_equal(logged(log_some),
	    "test: info: a port is up port=1\n"
	    "test: error: forged?error: line ?[31m\n");
	text = logged(log_long);
	assert_int_equal(strlen(text), 1023);
	assert_int_equal(text[1022], '\n');
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("test", LOG_LEVEL_INFO);
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(logged(log_some),
	    "<6>a port is up port=1\n<3>forged?error: line ?[31m\n");
	log_init("test", LOG_LEVEL_ERR);
	assert_non_null(strstr(logged(log_some), "forged"));
	assert_null(strstr(logged(log_some), "port is up"));
}

static void
levels_have_names(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("err"), LOG_LEVEL_ERR);
	assert_int_equal(log_level_parse("warn"), LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("info"), LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse(""), -EINVAL);
	assert_int_equal(log_level_parse("ERR"), -EINVAL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(mistakes_name_the_line),
		cmocka_unit_test(a_mistyped_key_is_recognized),
		cmocka_unit_test(a_folder_beside_it_is_read_after_it),
		cmocka_unit_test(numbers_have_a_range),
		cmocka_unit_test(what_cannot_be_read_whole_is_refused),
		cmocka_unit_test(errors_gather_context),
		cmocka_unit_test(a_log_line_is_one_line),
		cmocka_unit_test(levels_have_names),
	};

	return cmocka_run_group_tests_name("lib_conf", tests, NULL, NULL);
}
