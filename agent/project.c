/* SPDX-License-Identifier: Apache-2.0 */
/* project: tenants, and what they may have in sum. See project.h. */
#include "agent/project.h"

#include "agent/router.h"
#include "lib/base.h"
#include "lib/log.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUERY_BYTES = MODEL_NAME_BYTES + 16 };

struct project *
node_project(const struct node *n, const char *name)
{
	for (struct project *p = n->projects; p; p = p->next)
		if (strcmp(p->spec.name, name) == 0)
			return p;
	return NULL;
}

struct project *
project_new(struct model_project *spec, struct err *e)
{
	struct project *p = calloc(1, sizeof(*p));

	if (!p || uid_make(p->uid) < 0) {
		free(p);
		err_set(e, -ENOMEM, "no memory for a project");
		return NULL;
	}
	uid_text(p->uid, p->uid_text);
	node_time_text(p->created);
	p->generation = 1;
	p->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	return p;
}

void
project_free(struct project *p)
{
	if (!p)
		return;
	model_project_clear(&p->spec);
	free(p);
}

int
project_store(struct node *n, const struct project *p,
    const struct model_project *spec, uint64_t generation, struct err *e)
{
	json_t *body = json_pack("{s:O, s:o}", "labels", spec->labels, "spec",
	    model_project_spec(spec));
	scoped_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct store_object row = {
		.uid = p->uid_text,
		.kind = "project",
		.project = "",
		.name = spec->name,
		.generation = generation,
		.created = p->created,
		.body = text,
	};

	json_decref(body);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return store_put_object(n->store, &row, e);
}

static void
append(struct node *n, struct project *p)
{
	struct project **at = &n->projects;

	while (*at)
		at = &(*at)->next;
	*at = p;
}

static int
load_one(void *arg, const struct store_object *row)
{
	json_t *body = json_loads(row->body, 0, NULL);
	struct project *p = calloc(1, sizeof(*p));
	struct problem problem;
	bool is_good;

	problem_init(&problem);
	if (p)
		model_project_init(&p->spec);
	is_good = p && body && uid_parse(row->uid, p->uid) &&
		  model_project_read(&p->spec, body, row->name, &problem) == 0;
	problem_clear(&problem);
	json_decref(body);
	if (!is_good) {
		log_err("the stored project %s cannot be read", row->name);
		project_free(p);
		return -EINVAL;
	}
	uid_text(p->uid, p->uid_text);
	snprintf(p->created, sizeof(p->created), "%s", row->created);
	p->generation = row->generation;
	append(arg, p);
	return 0;
}

int
projects_load(struct node *n, struct err *e)
{
	struct model_project spec;
	struct project *p;
	int rc = store_each_object(n->store, "project", load_one, n, e);

	if (rc < 0 || node_project(n, PROJECT_DEFAULT))
		return rc;
	model_project_init(&spec);
	snprintf(spec.name, sizeof(spec.name), PROJECT_DEFAULT);
	p = project_new(&spec, e);
	model_project_clear(&spec);
	if (!p)
		return -ENOMEM;
	rc = project_store(n, p, &p->spec, p->generation, e);
	if (rc < 0) {
		project_free(p);
		return rc;
	}
	append(n, p);
	return 0;
}

void
projects_free(struct node *n)
{
	while (n->projects) {
		struct project *p = n->projects;

		n->projects = p->next;
		project_free(p);
	}
}

void
project_query(const struct project *p, char *buf, size_t size)
{
	buf[0] = '\0';
	if (strcmp(p->spec.name, PROJECT_DEFAULT) != 0)
		snprintf(buf, size, "?project=%s", p->spec.name);
}

/* --- sums -------------------------------------------------------------------- */

static uint64_t
count_wiring(
    const struct node *n, const struct project *pr, enum model_wiring_kind kind)
{
	uint64_t i = 0;

	for (const struct wiring *w = n->wiring; w; w = w->next)
		i += w->project == pr && w->spec.kind == kind;
	return i;
}

uint64_t
project_sum(const struct node *n, const struct project *pr, enum model_sum sum,
    const struct router *without)
{
	uint64_t total = 0;

	if (sum == MODEL_SUM_LINKS || sum == MODEL_SUM_SEGMENTS)
		return count_wiring(
		    n, pr, sum == MODEL_SUM_LINKS ? MODEL_LINK : MODEL_SEGMENT);
	for (const struct router *r = n->routers; r; r = r->next) {
		uint64_t v;

		if (r->project != pr || r == without)
			continue;
		v = model_sum_of(&r->spec, sum);
		if (v == UINT64_MAX)
			return v;
		total += v; /* of at most 2^15 routers with 2^40 each */
	}
	return total;
}

static json_t *
number(uint64_t v)
{
	return v == UINT64_MAX ? json_null() : json_integer((json_int_t)v);
}

struct refusal {
	struct problem *p;
	json_t *wanted, *best;
};

/* What is no more than before is not refused, whatever the limit is by now. */
static void
check_sum(struct refusal *x, enum model_sum sum, uint64_t limit, uint64_t want,
    uint64_t others)
{
	uint64_t best = others < limit ? limit - others : 0;
	const char *name = model_sum_name(sum);

	if (want <= best)
		return;
	if (want == UINT64_MAX)
		problem_add(x->p, model_sum_pointer(sum),
		    "no limit, and the project may have %" PRIu64
		    " %s in sum, of which %" PRIu64 " are left",
		    limit, name, best);
	else
		problem_add(x->p, model_sum_pointer(sum),
		    "%" PRIu64 " are more than the %" PRIu64
		    " %s that the project has left",
		    want, best, name);
	json_object_set_new(x->wanted, name, number(want));
	json_object_set_new(x->best, name, number(best));
}

/* Returns 0, or negative with the problem of x set. */
static int
verdict(struct refusal *x, const struct project *pr)
{
	if (json_object_size(x->wanted) == 0) {
		json_decref(x->wanted);
		json_decref(x->best);
		return 0;
	}
	problem_set(x->p, 409, "quota-exceeded",
	    "ask for no more than best says, or have the project's quota "
	    "raised",
	    "project %s has not enough left: %s", pr->spec.name,
	    x->p->error[0].detail);
	x->p->extra =
	    json_pack("{s:o, s:o}", "wanted", x->wanted, "best", x->best);
	return -EDQUOT;
}

int
project_admits_wiring(const struct node *n, const struct project *pr,
    enum model_wiring_kind kind, bool is_tenant, struct problem *p)
{
	enum model_sum sum =
	    kind == MODEL_LINK ? MODEL_SUM_LINKS : MODEL_SUM_SEGMENTS;
	uint64_t quota = pr->spec.quota[sum];
	uint64_t most = kind == MODEL_LINK ? PROJECT_LINKS : PROJECT_SEGMENTS;
	uint64_t here = project_sum(n, pr, sum, NULL), all = 0;
	struct refusal x = { .p = p };

	for (const struct wiring *w = n->wiring; w; w = w->next)
		all++;
	if (all >= (is_tenant ? TENANTS_WIRING : NODE_WIRING))
		return problem_set(p, 507, "no-memory",
		    "delete a link or a segment, or ask the admin of the node",
		    "all projects have %" PRIu64 " links and segments: the "
		    "node has %u, %u of them for tenants",
		    all, (unsigned)NODE_WIRING, (unsigned)TENANTS_WIRING);
	x.wanted = json_object();
	x.best = json_object();
	check_sum(&x, sum, quota ? quota : most, 1, here);
	return verdict(&x, pr);
}

int
project_admits(const struct node *n, const struct project *pr,
    const struct model_router *spec, const struct router *old,
    struct problem *p)
{
	struct refusal x = {
		.p = p,
		.wanted = json_object(),
		.best = json_object(),
	};

	for (enum model_sum i = 0; i < MODEL_N_SUMS; i++) {
		uint64_t want = model_sum_of(spec, i);

		if (pr->spec.quota[i] == 0 ||
		    (old && want <= model_sum_of(&old->spec, i)))
			continue;
		check_sum(
		    &x, i, pr->spec.quota[i], want, project_sum(n, pr, i, old));
	}
	return verdict(&x, pr);
}
