/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_config: the servers that are known. A certificate is pinned when a server
 * is added: the one that is told with --fingerprint, or, with --trust or after a
 * question on a terminal, the one that is there.
 */
#include "cli/args.h"
#include "cli/cert.h"
#include "cli/http.h"
#include "cli/request.h"
#include "cli/run.h"
#include "cli/servers.h"
#include "lib/base.h"

#include <ctype.h>
#include <stdio.h>

static bool
name_is_valid(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return *name != '\0';
}

static bool
ask_for_trust(const char *url, const char *fingerprint)
{
	char line[16];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	fprintf(stderr,
	    "%s has the certificate\n  %s\nIs that what the node shows? "
	    "[y/N] ",
	    url, fingerprint);
	return fgets(line, sizeof(line), stdin) &&
	       (*line == 'y' || *line == 'Y');
}

/* What is to be pinned, "" for nothing. Returns an exit code. */
static int
choose_fingerprint(const struct cli *c, const struct call *call,
    const char *url, char out[HTTP_FINGERPRINT])
{
	char hex[CERT_HEX];
	struct err e;
	int rc;

	out[0] = '\0';
	if (strncmp(url, "https://", 8) != 0)
		return EXIT_DONE;
	if (c->g.fingerprint) {
		if (cert_parse_fingerprint(c->g.fingerprint, hex) < 0)
			return cli_fail(EXIT_USAGE,
			    "%s: want sha256: and 64 hexadecimal digits",
			    c->g.fingerprint);
		snprintf(out, HTTP_FINGERPRINT, "sha256:%s", hex);
		return EXIT_DONE;
	}
	rc = http_fingerprint(url, out, &e);
	if (rc < 0)
		return cli_fail(EXIT_UNREACHABLE, "%s", e.msg);
	if (args_option(call, "--trust") || ask_for_trust(url, out))
		return EXIT_DONE;
	cli_say("%s has the certificate %s", url, out);
	fputs("remedy: compare it with what the node shows, and say "
	      "--fingerprint with it; or --trust\n",
	    stderr);
	return EXIT_DENIED;
}

static int
put_token(const struct cli *c, json_t *server)
{
	char token[512];
	FILE *f;

	if (!c->g.token_file)
		return EXIT_DONE;
	f = fopen(c->g.token_file, "re");
	if (!f || !fgets(token, sizeof(token), f)) {
		if (f)
			fclose(f);
		return cli_fail(
		    EXIT_USAGE, "%s: there is no token in it", c->g.token_file);
	}
	fclose(f);
	token[strcspn(token, " \t\r\n")] = '\0';
	json_object_set_new(server, "token", json_string(token));
	return EXIT_DONE;
}

static json_t *
servers_of(json_t *doc)
{
	json_t *all = json_object_get(doc, "servers");

	if (!json_is_object(all)) {
		all = json_object();
		json_object_set_new(doc, "servers", all);
	}
	return all;
}

static int
store(const json_t *doc)
{
	struct err e;

	if (servers_write(doc, &e) < 0)
		return cli_fail(EXIT_OTHER, "%s", e.msg);
	return EXIT_DONE;
}

int
run_config_add(struct cli *c, const struct call *call)
{
	const char *name = call->word[0], *url = call->word[1];
	const struct http_config config = { .server = url };
	char fingerprint[HTTP_FINGERPRINT];
	json_auto_t *doc = NULL, *server = json_object();
	struct http *h;
	struct err e;
	int rc;

	if (!name_is_valid(name))
		return cli_fail(EXIT_USAGE,
		    "%s: want a name of letters, digits and -_.", name);
	if (http_open(&config, &h, &e) < 0 || servers_read(&doc, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	http_close(h);
	rc = choose_fingerprint(c, call, url, fingerprint);
	if (rc == EXIT_DONE)
		rc = put_token(c, server);
	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(server, "url", json_string(url));
	if (fingerprint[0])
		json_object_set_new(
		    server, "fingerprint", json_string(fingerprint));
	if (c->g.project)
		json_object_set_new(
		    server, "project", json_string(c->g.project));
	json_object_set(servers_of(doc), name, server);
	if (!json_object_get(doc, "current"))
		json_object_set_new(doc, "current", json_string(name));
	return store(doc);
}

int
run_config_list(struct cli *c, const struct call *call)
{
	json_auto_t *doc = NULL, *out = NULL;
	json_t *items = json_array(), *server;
	const json_t *current;
	const char *name;
	struct err e;

	out = json_pack("{s:o}", "items", items);
	if (servers_read(&doc, &e) < 0)
		return cli_fail(EXIT_OTHER, "%s", e.msg);
	current = servers_find(doc, NULL);
	json_object_foreach(servers_of(doc), name, server) {
		/* of a token only that there is one */
		json_array_append_new(
		    items, json_pack("{s:s, s:b, s:O?, s:O?, s:b}", "name",
			       name, "current", server == current, "url",
			       json_object_get(server, "url"), "fingerprint",
			       json_object_get(server, "fingerprint"), "token",
			       json_object_get(server, "token") != NULL));
	}
	return request_print(c, call->command, out);
}

/* Reads what is known; says so if name is not. Returns an exit code. */
static int
read_known(const char *name, json_t **doc)
{
	struct err e;

	if (servers_read(doc, &e) < 0)
		return cli_fail(EXIT_OTHER, "%s", e.msg);
	if (!json_object_get(servers_of(*doc), name))
		return cli_fail(EXIT_NOT_FOUND,
		    "no server %s; europactl config list shows them", name);
	return EXIT_DONE;
}

int
run_config_use(struct cli *c, const struct call *call)
{
	json_auto_t *doc = NULL;
	int rc = read_known(call->word[0], &doc);

	(void)c;
	if (rc != EXIT_DONE)
		return rc;
	json_object_set_new(doc, "current", json_string(call->word[0]));
	return store(doc);
}

int
run_config_remove(struct cli *c, const struct call *call)
{
	const char *name = call->word[0], *current;
	json_auto_t *doc = NULL;
	int rc = read_known(name, &doc);

	(void)c;
	if (rc != EXIT_DONE)
		return rc;
	json_object_del(servers_of(doc), name);
	current = json_string_value(json_object_get(doc, "current"));
	if (current && strcmp(current, name) == 0)
		json_object_del(doc, "current");
	return store(doc);
}
