/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_routerconf: any text as a configuration, made of words that mean
 * something. What is accepted must make a plan; what is refused must say why.
 */
#include "tests/fuzz/fuzz.h"

#include "lib/base.h"
#include "router/plan.h"

static uint64_t n_accepted;

uint64_t
fuzz_count(void)
{
	return n_accepted;
}

static void
check(char *text, size_t n)
{
	struct routerconf c;
	struct plan *plan;
	struct err e = { .no = 0 };
	FILE *in;

	if (n == 0)
		return;
	in = fmemopen(text, n, "r");
	FUZZ_MUST(in != NULL);
	if (routerconf_parse(in, "text", &c, &e) == 0) {
		n_accepted++;
		FUZZ_MUST(c.n_rules <= FILTER_MAX_RULES);
		FUZZ_MUST(plan_make(&c, &plan) == 0);
		plan_free(plan);
		routerconf_clear(&c);
	} else {
		FUZZ_MUST(e.no < 0 && strncmp(e.msg, "text", 4) == 0);
	}
	fclose(in);
}

static const char *const words[] = { "vnic", "address", "route", "filter",
	"end", "generation", "hostname", "0", "1", "7", "65535", "eth0", "eth1",
	"mac", "0a:00:00:00:00:01", "mtu", "1500", "198.18.0.1/24",
	"2001:db8::1/64", "0.0.0.0/0", "::/0", "via", "dev", "198.18.0.2",
	"2001:db8::2", "fe80::1", "permit", "deny", "reject", "in", "from",
	"to", "protocol", "tcp", "icmp6", "sport", "dport", "1-9", "9-1" };
static const char *const lines[] = {
	"vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 1500\n",
	"vnic 1 eth1 mac 0a:00:00:00:00:02 mtu 1500\n",
	"address eth0 198.18.0.1/24\n",
	"address eth1 2001:db8::1/64\n",
	"route 0.0.0.0/0 via 198.18.0.9\n",
	"route ::/0 via fe80::9 dev eth1\n",
	"filter 5 deny in eth0 protocol tcp dport 22\n",
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	static char text[65536];
	unsigned left = fuzz_u8(&in) % 24;
	size_t n = 0;

	if (size < sizeof(text)) {
		memcpy(text, data, size);
		check(text, size);
	}
	while (left-- > 0) {
		unsigned v = fuzz_u8(&in);
		const char *w = v < 16 ? words[fuzz_u8(&in) % ARRAY_SIZE(words)]
				       : lines[v % ARRAY_SIZE(lines)];

		n += (size_t)snprintf(text + n, 128, "%s%s", w,
		    v >= 16 ? ""
		    : v & 1 ? "\n"
			    : " ");
	}
	n += (size_t)snprintf(text + n, 128, "\nend\n");
	check(text, n);
	return 0;
}
