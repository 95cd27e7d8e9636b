/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_ids: the host uids and gids of routers, from id_base on. Nobody else may
 * be given them; and where newuidmap is installed, LXC asks /etc/subuid whether
 * root may map them, and no router starts that it does not grant.
 *
 * Only the two keys are read of europa.conf, and nothing is said of what else is
 * in it: europad does that when it starts.
 */
#include "cli/doctor.h"

#include "lib/base.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

enum {
	/* europad's own, where europa.conf is silent */
	ID_BASE = 0x70000000,
	ID_RANGES = 4096,
	RANGE_IDS = 65536, /* of a router */
};

struct ids {
	uint64_t base, count;
};

/* One line of /etc/subuid, NAME:FIRST:COUNT. */
struct grant {
	char line[128];
	bool is_roots;
	uint64_t first, count;
};

/* --- europa.conf ------------------------------------------------------------ */

/* The value of "name = N" on that line, or what it was. */
static uint64_t
value_of(const char *line, const char *name, uint64_t was)
{
	size_t n = strlen(name);
	uint64_t v;

	line += strspn(line, " \t");
	if (strncmp(line, name, n) != 0 ||
	    sscanf(line + n, " = %" SCNu64, &v) != 1)
		return was;
	return v;
}

static void
read_conf(const struct host *h, const char *path, struct ids *ids)
{
	scoped_free char *text = doctor_read(h, path);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		ids->base = value_of(line, "id_base", ids->base);
		ids->count =
		    value_of(line, "id_ranges", ids->count / RANGE_IDS) *
		    RANGE_IDS;
	}
}

static int
is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return *d->d_name != '.' && n > 5 &&
	       strcmp(d->d_name + n - 5, ".conf") == 0;
}

/* What europad would take: the file, and those of its folder over it. */
static struct ids
ids_of(const struct host *h)
{
	struct ids ids = { .base = ID_BASE,
		.count = (uint64_t)ID_RANGES * RANGE_IDS };
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent **names = NULL;
	int n;

	read_conf(h, h->config, &ids);
	snprintf(folder, sizeof(folder), "%s%s.d", h->root, h->config);
	n = scandir(folder, &names, is_conf, alphasort);
	for (int i = 0; i < n; i++) {
		if (snprintf(path, sizeof(path), "%s.d/%s", h->config,
			names[i]->d_name) < (int)sizeof(path))
			read_conf(h, path, &ids);
		free(names[i]);
	}
	free(names);
	return ids;
}

/* --- who has them ----------------------------------------------------------- */

/* The next line that is a grant; false at the end. */
static bool
next_grant(const char **text, struct grant *out)
{
	while (*text && **text) {
		size_t n = strcspn(*text, "\n");
		const char *colon;

		snprintf(out->line, sizeof(out->line), "%.*s", (int)n, *text);
		*text += n + ((*text)[n] != '\0');
		colon = strchr(out->line, ':');
		if (!colon || sscanf(colon, ":%" SCNu64 ":%" SCNu64,
				  &out->first, &out->count) != 2)
			continue;
		out->is_roots = strncmp(out->line, "root:", 5) == 0 ||
				strncmp(out->line, "0:", 2) == 0;
		return true;
	}
	return false;
}

/* A line that gives some of them to somebody who is not root. */
static bool
is_taken(const char *text, const struct ids *ids, struct grant *out)
{
	while (next_grant(&text, out))
		if (!out->is_roots && out->first < ids->base + ids->count &&
		    ids->base < out->first + out->count)
			return true;
	return false;
}

/* Is there one line that gives root the first n of them? */
static bool
is_granted(const char *text, const struct ids *ids, uint64_t n)
{
	struct grant g;

	while (next_grant(&text, &g))
		if (g.is_roots && g.first <= ids->base && g.count >= n &&
		    ids->base - g.first <= g.count - n)
			return true;
	return false;
}

static bool
is_installed(const struct host *h, const char *program)
{
	static const char *const folders[] = { "/usr/local/sbin",
		"/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (doctor_is_there(h, folders[i], program))
			return true;
	return false;
}

/* --- the check -------------------------------------------------------------- */

static const struct {
	const char *path, *program;
} files[] = {
	{ "/etc/subuid", "newuidmap" },
	{ "/etc/subgid", "newgidmap" },
};

/* What those programs want to be said; true: they do not find it. */
static bool
look_at_grants(const struct host *h, const struct ids *ids, struct finding *f)
{
	char lacking[64] = "", cure[128];
	bool is_any = true;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		scoped_free char *text = NULL;
		size_t n = strlen(lacking);

		if (!is_installed(h, files[i].program))
			continue;
		text = doctor_read(h, files[i].path);
		if (is_granted(text, ids, ids->count))
			continue;
		is_any = is_any && is_granted(text, ids, RANGE_IDS);
		snprintf(
		    lacking + n, sizeof(lacking) - n, " %s", files[i].path);
	}
	if (!*lacking)
		return false;
	snprintf(cure, sizeof(cure),
	    "echo root:%" PRIu64 ":%" PRIu64 " | tee -a%s", ids->base,
	    ids->count, lacking);
	doctor_found(f, is_any ? FINDING_WARN : FINDING_FAIL, cure,
	    "%s is installed, and no line of%s lets root map %s",
	    files[0].program, lacking,
	    is_any ? "all that routers may have"
		   : "what routers have: none starts");
	return true;
}

void
doctor_look_at_subuids(const struct host *h, struct finding *f)
{
	const struct ids ids = ids_of(h);
	struct grant g;

	if (look_at_grants(h, &ids, f))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		scoped_free char *text = doctor_read(h, files[i].path);

		if (!is_taken(text, &ids, &g))
			continue;
		doctor_found(f, FINDING_WARN,
		    "set id_base in /etc/europa/europa.conf to a free range",
		    "%s gives %s away, of what routers have", files[i].path,
		    g.line);
		return;
	}
	doctor_ok(f, "%" PRIu64 " to %" PRIu64 " are free for routers",
	    ids.base, ids.base + ids.count - 1);
}
