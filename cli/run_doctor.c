/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_doctor: all findings as a table, what a host lacks and then what its node
 * says. Ends with 78, as a preflight does, if one of them is a FAIL.
 */
#include "cli/args.h"
#include "cli/doctor.h"
#include "cli/request.h"
#include "cli/run.h"
#include "lib/base.h"

#include <stdio.h>

enum { ASK_SECONDS = 5 };

static const char start[] =
    "systemctl enable --now europa-dataplane europad; journalctl -u europad";

static void
add(json_t *list, const char *name, const struct finding *f)
{
	static const char *const states[] = { [FINDING_OK] = "OK",
		[FINDING_WARN] = "WARN",
		[FINDING_FAIL] = "FAIL" };

	json_array_append_new(
	    list, json_pack("{s:s, s:s, s:s, s:s*}", "name", name, "state",
		      states[f->state], "seen", f->seen, "cure",
		      f->cure[0] ? f->cure : NULL));
}

/* Does europad answer, and are the two of one version? */
static bool
look_at_agent(struct cli *c, json_t *list, json_t **node)
{
	const struct http_request rq = { .method = "GET", .path = "/v1" };
	struct finding f;
	struct http_answer a;
	struct err e = { .msg = "" };
	const char *version;
	int rc = cli_connect(c, &e);

	if (rc == 0)
		rc = request_send(c, &rq, &a, &e);
	if (rc < 0) {
		doctor_found(&f, FINDING_FAIL, start, "%.200s", e.msg);
		add(list, "europad", &f);
		return false;
	}
	*node = a.status == 200 ? json_loadb(a.body, a.n_body, 0, NULL) : NULL;
	version = json_string_value(json_object_get(*node, "version"));
	if (!version)
		doctor_found(
		    &f, FINDING_FAIL, start, "it answers with %u", a.status);
	else if (strcmp(version, EUROPA_VERSION) != 0)
		doctor_found(&f, FINDING_WARN,
		    "systemctl restart europad, or install the same version",
		    "it is %.60s, europactl is %s", version, EUROPA_VERSION);
	else
		doctor_ok(&f, "it answers, version %.60s", version);
	add(list, "europad", &f);
	http_answer_free(&a);
	return version != NULL;
}

static void
look_at_plane(const json_t *node, json_t *list)
{
	const json_t *plane = json_object_get(node, "dataplane");
	struct finding f;

	if (json_is_true(json_object_get(plane, "connected")))
		doctor_ok(&f, "it is there, huge pages: %s",
		    json_is_true(json_object_get(plane, "hugepages")) ? "yes"
								      : "no");
	else
		doctor_found(&f, FINDING_FAIL,
		    "systemctl restart europa-dataplane; journalctl -u "
		    "europa-dataplane",
		    "no packet moves: europa-dataplane is away");
	add(list, "europa-dataplane", &f);
}

/* Ports that are not up say why themselves. */
static void
look_at_ports(struct cli *c, json_t *list)
{
	json_auto_t *ports = NULL;
	json_t *one;
	size_t i;

	if (request_list(c, "/v1/ports", "items", &ports) != EXIT_DONE)
		return;
	json_array_foreach(json_object_get(ports, "items"), i, one)
	{
		const json_t *status = json_object_get(one, "status");
		const char *name, *state, *detail = NULL, *remedy = NULL;
		struct finding f;
		char check[96];

		if (json_unpack((json_t *)(uintptr_t)status, "{s:s, s?s, s?s}",
			"state", &state, "detail", &detail, "remedy",
			&remedy) < 0 ||
		    json_unpack(one, "{s:s}", "name", &name) < 0)
			continue;
		if (strcmp(state, "up") == 0)
			doctor_ok(&f, "%s", state);
		else
			doctor_found(&f, FINDING_WARN,
			    remedy ? remedy
				   : "systemctl restart europa-dataplane",
			    "%s%s%.200s", state, detail ? ": " : "",
			    detail ? detail : "");
		snprintf(check, sizeof(check), "port %.64s", name);
		add(list, check, &f);
	}
}

static bool
has_failed(const json_t *list)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *state =
		    json_string_value(json_object_get(one, "state"));

		if (state && strcmp(state, "FAIL") == 0)
			return true;
	}
	return false;
}

static void
find_build(struct host *h)
{
	char *slash;
	ssize_t n = readlink("/proc/self/exe", h->built, sizeof(h->built) - 1);

	h->built[MAX(n, (ssize_t)0)] = '\0';
	slash = strrchr(h->built, '/');
	if (slash)
		*slash = '\0';
}

int
run_doctor(struct cli *c, const struct call *call)
{
	struct host host = { .libexec = EUROPA_LIBEXECDIR,
		.state = EUROPA_STATEDIR,
		.config = EUROPA_CONFDIR "/europa.conf" };
	json_auto_t *doc = json_pack("{s:[]}", "checks");
	json_t *list = json_object_get(doc, "checks");
	json_auto_t *node = NULL;
	int rc;

	find_build(&host);
	for (size_t i = 0; i < n_doctor_checks; i++) {
		struct finding f;

		doctor_checks[i].look(&host, &f);
		add(list, doctor_checks[i].name, &f);
	}
	c->g.timeout_s = MIN(c->g.timeout_s, (unsigned)ASK_SECONDS);
	if (!args_option(call, "--local") && look_at_agent(c, list, &node)) {
		look_at_plane(node, list);
		look_at_ports(c, list);
	}
	rc = request_print(c, call->command, doc);
	if (rc != EXIT_DONE)
		return rc;
	return has_failed(list) ? EXIT_PREFLIGHT : EXIT_DONE;
}
