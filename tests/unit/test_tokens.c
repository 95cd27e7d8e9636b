/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tokens: a secret is known by its hash alone, is good until its time is
 * over, and gives what its roles say in projects by uid, not by name.
 */
#include "agent/node.h"
#include "agent/tokens.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char dir[64];
static struct node node;

static void
open_node(void)
{
	struct err e = { 0 };

	memset(&node, 0, sizeof(node));
	if (store_open(dir, &node.store, &e) < 0 ||
	    projects_load(&node, &e) < 0 || tokens_load(&node, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
close_node(void)
{
	tokens_free(&node);
	projects_free(&node);
	store_close(node.store);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-tokens-XXXXXX");
	assert_non_null(mkdtemp(dir));
	open_node();
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "europa.db", "europa.db-wal",
		"europa.db-shm", "lock", "ballast" };
	char path[128];

	(void)state;
	close_node();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static struct project *
add_project(const char *name)
{
	struct model_project m;
	struct project *p, **at = &node.projects;

	model_project_init(&m);
	snprintf(m.name, sizeof(m.name), "%s", name);
	p = project_new(&m, NULL);
	model_project_clear(&m);
	assert_non_null(p);
	while (*at)
		at = &(*at)->next;
	*at = p;
	return p;
}

static struct token *
make(const char *json, char secret[TOKEN_SECRET_BYTES])
{
	json_t *body = json_loads(json, 0, NULL);
	struct model_token m;
	struct problem p;
	struct token *t = NULL;

	assert_non_null(body);
	problem_init(&p);
	model_token_init(&m);
	if (model_token_read(&m, body, NULL, &p) < 0)
		fail_msg("%s", p.detail);
	assert_int_equal(token_make(&node, node_project(&node, "default"), &m,
			     true, secret, &t, NULL),
	    0);
	model_token_clear(&m);
	json_decref(body);
	return t;
}

/* Whether text is anywhere in the files of the database. */
static bool
disk_holds(const char *text)
{
	static const char *const files[] = { "europa.db", "europa.db-wal" };
	static char bytes[1 << 20];
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];
		size_t n;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		f = fopen(path, "re");
		if (!f)
			continue;
		n = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		found |= memmem(bytes, n, text, strlen(text)) != NULL;
	}
	return found;
}

static void
a_secret_is_known_by_its_hash(void **state)
{
	char secret[TOKEN_SECRET_BYTES], other[TOKEN_SECRET_BYTES];
	char id[UID_TEXT] = "", hash[SHA256_HEX];
	struct token *t = make(
	    "{\"name\":\"a\",\"spec\":{\"roles\":{\"*\":\"admin\"}}}", secret);

	(void)state;
	make("{\"name\":\"b\",\"spec\":{\"roles\":{\"*\":\"admin\"}}}", other);
	assert_string_not_equal(secret, other);
	assert_int_equal(strlen(secret), TOKEN_SECRET_BYTES - 1);
	sha256_hex(secret, strlen(secret), hash);
	assert_true(disk_holds(hash));
	assert_false(disk_holds(secret));
	assert_false(disk_holds(secret + 7));
	assert_true(tokens_check(&node, secret, id));
	assert_string_equal(id, t->uid_text);
	assert_false(tokens_check(&node, hash, id)); /* it opens nothing */
	assert_false(tokens_check(&node, "", id));
	secret[TOKEN_SECRET_BYTES - 2] ^= 1;
	assert_false(tokens_check(&node, secret, id));
	/* and after a start */
	secret[TOKEN_SECRET_BYTES - 2] ^= 1;
	close_node();
	open_node();
	assert_true(tokens_check(&node, secret, id));
	t = token_by_uid(&node, id);
	assert_non_null(t);
	assert_int_equal(token_role(t, NULL), API_ROLE_ADMIN);
	assert_int_equal(token_delete(&node, t, NULL), 0);
	assert_false(tokens_check(&node, secret, id));
	assert_true(tokens_check(&node, other, id));
	close_node();
	open_node();
	assert_false(tokens_check(&node, secret, id));
}

static void
a_time_that_is_over_ends_it(void **state)
{
	char secret[TOKEN_SECRET_BYTES], id[UID_TEXT];
	struct token *t =
	    make("{\"name\":\"a\",\"spec\":{\"roles\":{\"default\":"
		 "\"viewer\"},\"expires\":\"2099-01-01T00:00:00Z\""
		 "}}",
		secret);

	(void)state;
	assert_true(tokens_check(&node, secret, id));
	t->expires = time(NULL) - 1;
	assert_false(tokens_check(&node, secret, id));
}

static void
roles_are_of_projects_by_uid(void **state)
{
	char secret[TOKEN_SECRET_BYTES];
	struct project *blue = add_project("blue"), *other;
	const struct token *t = make("{\"name\":\"a\",\"spec\":{\"roles\":{"
				     "\"blue\":\"operator\"}}}",
	    secret);

	(void)state;
	assert_int_equal(token_role(t, blue), API_ROLE_OPERATOR);
	assert_int_equal(
	    token_role(t, node_project(&node, "default")), API_ROLE_NONE);
	assert_int_equal(token_role(t, NULL), API_ROLE_NONE);
	/* another project that has the name by now */
	snprintf(blue->spec.name, sizeof(blue->spec.name), "gone");
	other = add_project("blue");
	assert_int_equal(token_role(t, other), API_ROLE_NONE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_secret_is_known_by_its_hash, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_time_that_is_over_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    roles_are_of_projects_by_uid, setup, teardown),
	};

	return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
