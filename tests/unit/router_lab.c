/* SPDX-License-Identifier: Apache-2.0 */
/* router_lab: see router_lab.h. */
#include "tests/unit/router_lab.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void
lab_expect_nd(
    struct router_rig *r, unsigned i, unsigned type, const char *target)
{
	struct rig_out o;
	uint8_t ip[16];

	frame_ip6_address(target, ip);
	assert_true(router_rig_receive(r, i, IP6, SOON_MS, &o));
	assert_int_equal(o.queue, RIG_CONTROL);
	assert_int_equal(o.frame.len, 86);
	assert_int_equal(o.frame.b[20], 58);
	assert_int_equal(o.frame.b[21], 255);
	assert_int_equal(o.frame.b[54], type);
	assert_memory_equal(o.frame.b + 62, ip, 16);
	assert_int_equal(frame_sum6(&o.frame), 0);
}

/* After its start a router tells everybody which addresses are its own. */
static void
expect_announcements(struct router_rig *r)
{
	static const char *const mac[] = { ETH0, ETH1 };
	static const char *const ip[] = { "198.18.0.1", "198.18.1.1" };
	struct frame expected;
	struct rig_out o;

	for (unsigned i = 0; i < 2; i++) {
		frame_arp(&expected, 1, mac[i], ip[i], NULL, ip[i]);
		assert_true(router_rig_receive(r, i, ARP, SOON_MS, &o));
		assert_int_equal(o.frame.len, expected.len);
		assert_memory_equal(o.frame.b, expected.b, expected.len);
	}
	lab_expect_nd(r, 0, 136, "2001:db8::1");
	lab_expect_nd(r, 0, 136, "fe80::800:ff:fe00:1");
}

void
lab_start(struct router_rig *r)
{
	router_rig_start(r, 7);
	expect_announcements(r);
}

int
lab_set_up(void **state)
{
	struct router_rig *r = malloc(sizeof(*r));

	*state = r;
	router_rig_open(r, 1400);
	router_rig_configure(r, CONF END);
	lab_start(r);
	return 0;
}

int
lab_tear_down(void **state)
{
	router_rig_check(*state);
	router_rig_close(*state);
	free(*state);
	return 0;
}

/* Answers the request for ip that must be waiting at vNIC i. */
void
lab_answer_arp(
    struct router_rig *r, unsigned i, const char *ip, const char *mac)
{
	static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };
	static const char *const own[] = { ETH0, ETH1 };
	static const char *const own_ip[] = { "198.18.0.1", "198.18.1.1" };
	struct frame expected, reply;
	struct rig_out o;

	assert_true(router_rig_receive(r, i, ARP, SOON_MS, &o));
	frame_arp(&expected, 1, own[i], own_ip[i], NULL, ip);
	assert_memory_equal(o.frame.b, everybody, 6);
	assert_int_equal(o.frame.len, expected.len);
	assert_memory_equal(o.frame.b, expected.b, expected.len);
	assert_int_equal(o.queue, RIG_CONTROL);
	frame_arp(&reply, 2, mac, ip, own[i], own_ip[i]);
	router_rig_send(r, RIG_CONTROL, i, &reply);
}

void
lab_expect_forwarded(const struct rig_out *o, const struct frame *in,
    const char *dst, const char *src)
{
	struct frame expected = *in;

	frame_mac(dst, expected.b);
	frame_mac(src, expected.b + 6);
	expected.b[14 + 8]--;
	frame_fix_checksum(&expected);
	assert_int_equal(
	    o->frame.len, expected.len < 60 ? o->frame.len : expected.len);
	assert_memory_equal(o->frame.b, expected.b, expected.len);
}

struct frame_spec
lab_towards_b(void)
{
	return (struct frame_spec){ .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = "198.18.0.2",
		.dst = "198.19.3.4",
		.payload = 100 };
}

/* Makes host B's MAC known to the fast path. */
void
lab_resolve_b(struct router_rig *r)
{
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_answer_arp(r, 1, "198.18.1.7", HOST_B);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	assert_int_equal(o.queue, RIG_CONTROL);
	assert_true(router_rig_await(r, "tables_published", 3) >= 3);
}

/* Host A's MAC is asked for on the way of the first answer to it. */
void
lab_resolve_a(struct router_rig *r)
{
	lab_answer_arp(r, 0, "198.18.0.2", HOST_A);
}

/* The router must say type, code and rest about f to host A, and quote it. */
void
lab_expect_error(struct router_rig *r, const struct frame *f, unsigned type,
    unsigned code, uint32_t rest)
{
	unsigned quote = MIN(f->len - 14, 548U);
	struct rig_out o;

	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(frame_sum(o.frame.b + 14, 20), 0);
	assert_int_equal(load_be16(o.frame.b + 16), 28 + quote);
	assert_int_equal(load_be32(o.frame.b + 26), frame_ip("198.18.0.1"));
	assert_int_equal(load_be32(o.frame.b + 30), frame_ip("198.18.0.2"));
	assert_int_equal(frame_sum(o.frame.b + 34, 8 + quote), 0);
	assert_int_equal(o.frame.b[34], type);
	assert_int_equal(o.frame.b[35], code);
	assert_int_equal(load_be32(o.frame.b + 38), rest);
	assert_memory_equal(o.frame.b + 42, f->b + 14, quote);
}
