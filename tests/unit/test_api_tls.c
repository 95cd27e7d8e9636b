/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_tls: the certificate is made once, its key is private, and what is
 * wrong with the files is said; and where HTTPS may listen.
 */
#include "api/server_int.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static char dir[64];

static void
path_of(const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", dir, name);
}

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-tls-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int
remove_dir(void **state)
{
	static const char *const files[] = { TLS_CERT_FILE, TLS_KEY_FILE };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		path_of(files[i], path);
		unlink(path);
	}
	return rmdir(dir);
}

static void
it_is_made_once(void **state)
{
	struct server_tls one = { 0 }, two = { 0 };
	struct err e = { 0 };
	char path[128];
	struct stat st;

	(void)state;
	if (tls_open(&one, dir, &e) < 0)
		fail_msg("%s", e.msg);
	path_of(TLS_KEY_FILE, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(strlen(one.fingerprint), 64);
	assert_int_equal(strspn(one.fingerprint, "0123456789abcdef"), 64);
	assert_int_equal(strlen(one.pin), 8 + 44);
	assert_memory_equal(one.cert, "-----BEGIN CERTIFICATE-----", 27);
	assert_non_null(strstr(one.key, "PRIVATE KEY-----"));
	if (tls_open(&two, dir, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(one.fingerprint, two.fingerprint);
	assert_string_equal(one.pin, two.pin);
	assert_string_equal(one.cert, two.cert);
	tls_close(&one);
	tls_close(&two);
	assert_null(one.key);
}

static void
each_node_has_its_own(void **state)
{
	struct server_tls one = { 0 }, two = { 0 };
	struct err e = { 0 };

	assert_int_equal(tls_open(&one, dir, &e), 0);
	assert_int_equal(remove_dir(state), 0);
	assert_int_equal(make_dir(state), 0);
	assert_int_equal(tls_open(&two, dir, &e), 0);
	assert_string_not_equal(one.fingerprint, two.fingerprint);
	assert_string_not_equal(one.pin, two.pin);
	tls_close(&one);
	tls_close(&two);
}

/* One that stands there without its key is somebody's: it is not replaced. */
static void
wrong_files_are_told(void **state)
{
	struct server_tls t = { 0 };
	struct err e = { 0 };
	char path[128];
	FILE *f;

	(void)state;
	assert_int_equal(tls_open(&t, dir, &e), 0);
	tls_close(&t);
	path_of(TLS_KEY_FILE, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(tls_open(&t, dir, &e), -ENOENT);
	assert_non_null(strstr(e.msg, TLS_KEY_FILE));
	tls_close(&t);
	path_of(TLS_CERT_FILE, path);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("no certificate\n", f);
	fclose(f);
	path_of(TLS_KEY_FILE, path);
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(tls_open(&t, dir, &e), -EIO);
	assert_non_null(strstr(e.msg, TLS_CERT_FILE));
	tls_close(&t);
	assert_int_equal(tls_open(&t, "/nothing/here", &e), -ENOENT);
}

static void
where_it_listens(void **state)
{
	static const char *const good[] = { "0.0.0.0:8780", "127.0.0.1:1",
		"192.0.2.1", "[::]:8780", "[2001:db8::1]:65535", "[::1]", "::1",
		":8780" };
	static const char *const bad[] = { "host:8780", "0.0.0.0:", "0.0.0.0:0",
		"0.0.0.0:65536", "0.0.0.0:99999999", "0.0.0.0:x", "[::1",
		"[::1]8780", "[::1]x:1", "1.2.3:80", "[1.2.3.4.5]:80",
		"::1::2:80", " 0.0.0.0:80", "0.0.0.0:8 0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!api_listen_is_valid(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (api_listen_is_valid(bad[i]))
			fail_msg("%s", bad[i]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    it_is_made_once, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    each_node_has_its_own, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    wrong_files_are_told, make_dir, remove_dir),
		cmocka_unit_test(where_it_listens),
	};

	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
