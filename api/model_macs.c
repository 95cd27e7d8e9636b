/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_macs: allow_macs of a vNIC, the MACs that it may use beside its own,
 * between JSON and struct model_vnic. Whose they are else is the agent's to
 * check.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

bool
model_vnic_lists(const struct model_vnic *v, const uint8_t mac[6])
{
	for (unsigned i = 0; i < v->n_allow_macs; i++)
		if (memcmp(v->allow_mac[i], mac, 6) == 0)
			return true;
	return false;
}

/* Why this text is no further MAC for v, or NULL: then out is it. */
static const char *
flaw_of(const struct model_vnic *v, const json_t *text, uint8_t out[6])
{
	const char *why = NULL;

	if (!json_is_string(text))
		return "must be a string, as \"00:00:5e:00:01:01\"";
	if (model_mac_parse(json_string_value(text), out, &why) < 0)
		return why;
	return model_vnic_lists(v, out) ? "is given twice" : NULL;
}

void
model_allow_macs_read(const struct model_reader *in, struct model_vnic *v)
{
	const json_t *list =
	    model_take_array(in, "allow_macs", MODEL_MAX_ALLOW_MACS);
	char list_at[MODEL_AT_BYTES], at[MODEL_AT_BYTES + 24];

	if (!list)
		return;
	model_at(list_at, in->at, "allow_macs");
	for (size_t i = 0; i < json_array_size(list); i++) {
		uint8_t mac[6];
		const char *why = flaw_of(v, json_array_get(list, i), mac);

		if (why) {
			snprintf(at, sizeof(at), "%s/%zu", list_at, i);
			problem_add(in->p, at, "%s", why);
			continue;
		}
		memcpy(v->allow_mac[v->n_allow_macs++], mac, 6);
	}
}

void
model_allow_macs_put(json_t *o, const struct model_vnic *v)
{
	json_t *list = json_array();
	char text[32];

	for (unsigned i = 0; i < v->n_allow_macs; i++) {
		model_mac_text(v->allow_mac[i], text, sizeof(text));
		json_array_append_new(list, json_string(text));
	}
	json_object_set_new(o, "allow_macs", list);
}
