/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lib_wire: each message survives the way there and back, and whatever is
 * cut, too long, left over or beside the type's descriptors is refused, with
 * every descriptor closed.
 */
#include "tests/unit/wire_samples.h"

#include "lib/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <setjmp.h>
/* cmocka wants setjmp.h and stdarg.h */
#include <cmocka.h>

/* Descriptors that a message of this type must bring. */
static bool
fds_fit(enum wire_type type, unsigned n)
{
	switch (type) {
	case WIRE_SET_ADD:
	case WIRE_SET_INFO:
	case WIRE_INIT_SET:
		return n >= 5 && n <= WIRE_MAX_FDS;
	case WIRE_INIT_CONFIG:
	case WIRE_INIT_PIPELINE:
	case WIRE_INIT_CONTROL:
	case WIRE_INIT_SESSION:
	case WIRE_INIT_LOG:
		return n == 1;
	default:
		return n == 0;
	}
}

/* --- the codec alone ------------------------------------------------------------------ */

static void
every_message_returns_as_it_was(void **state)
{
	(void)state;
	for (int type = WIRE_OK; type < WIRE_N_TYPES; type++) {
		static struct wire_msg m, got, copy;
		uint8_t buf[WIRE_MAX_BYTES];
		int n;

		wire_sample(&m, (enum wire_type)type);
		copy = m;
		n = wire_encode(&m, buf, sizeof(buf));
		assert_true(n >= 12);
		assert_memory_equal(&m, &copy, sizeof(m));
		memset(&got, 0xff, sizeof(got));
		assert_int_equal(wire_decode(&got, buf, (size_t)n), 0);
		assert_memory_equal(&got, &m, sizeof(m));
	}
}

static void
the_bytes_are_those_of_the_drawing(void **state)
{
	static const uint8_t want[] = { 0x45, 0x57, WIRE_VNIC_DEL, 0, 4, 3, 2,
		1, 20, 0, 0, 0, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
		21, 22, 23, 24, 8, 0, 0, 0 };
	struct wire_msg m;
	uint8_t buf[64];

	(void)state;
	wire_sample(&m, WIRE_VNIC_DEL);
	assert_int_equal(wire_encode(&m, buf, sizeof(buf)), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

/* Without a change of the length word, and with one that agrees. */
static void
every_length_but_one_is_refused(void **state)
{
	(void)state;
	for (int type = WIRE_OK; type < WIRE_N_TYPES; type++) {
		static struct wire_msg m, got;
		uint8_t buf[WIRE_MAX_BYTES] = { 0 };
		int n;

		wire_sample(&m, (enum wire_type)type);
		n = wire_encode(&m, buf, sizeof(buf));
		for (int cut = 0; cut < n + 40; cut++) {
			uint8_t *exact = malloc((size_t)cut);

			if (cut == n) {
				free(exact);
				continue;
			}
			/* so that a sanitizer sees every byte too far */
			memcpy(exact, buf, (size_t)cut);
			assert_int_equal(
			    wire_decode(&got, exact, (size_t)cut), -EBADMSG);
			for (int i = 0; i < 4 && cut >= 12; i++)
				exact[8 + i] = (uint8_t)((cut - 12) >> (8 * i));
			assert_int_equal(
			    wire_decode(&got, exact, (size_t)cut), -EBADMSG);
			free(exact);
		}
	}
}

static void
no_room_is_an_error(void **state)
{
	(void)state;
	for (int type = WIRE_OK; type < WIRE_N_TYPES; type++) {
		static struct wire_msg m, copy;
		uint8_t buf[WIRE_MAX_BYTES];
		int n;

		wire_sample(&m, (enum wire_type)type);
		copy = m;
		n = wire_encode(&m, buf, sizeof(buf));
		for (int room = 0; room < n; room++) {
			uint8_t *exact = malloc((size_t)room);

			assert_int_equal(
			    wire_encode(&m, exact, (size_t)room), -EMSGSIZE);
			free(exact);
		}
		/* the caller's message is not touched by the failure */
		assert_memory_equal(&m, &copy, sizeof(m));
	}
}

/* Nothing but a type. */
static bool
has_no_body(unsigned type)
{
	return type == WIRE_OK || type == WIRE_SET_LIST ||
	       type == WIRE_PORT_LIST || type == WIRE_INIT_RESTART ||
	       type == WIRE_STATS_GET || type == WIRE_INIT_PIPELINE ||
	       type == WIRE_INIT_CONTROL || type == WIRE_INIT_LOG;
}

static void
types_and_magic_are_checked(void **state)
{
	uint8_t buf[64];
	struct wire_msg m, got;
	int n;

	(void)state;
	wire_sample(&m, WIRE_OK);
	n = wire_encode(&m, buf, sizeof(buf));
	for (unsigned type = 0; type < 0x10000; type++) {
		buf[2] = (uint8_t)type;
		buf[3] = (uint8_t)(type >> 8);
		assert_int_equal(wire_decode(&got, buf, (size_t)n),
		    has_no_body(type) ? 0 : -EBADMSG);
	}
	buf[2] = WIRE_OK;
	buf[3] = 0;
	buf[0] ^= 1;
	assert_int_equal(wire_decode(&got, buf, (size_t)n), -EBADMSG);
	m.type = WIRE_NONE;
	assert_int_equal(wire_encode(&m, buf, sizeof(buf)), -EINVAL);
	m.type = WIRE_N_TYPES;
	assert_int_equal(wire_encode(&m, buf, sizeof(buf)), -EINVAL);
}

static void
strings_have_a_length_and_no_zeros(void **state)
{
	struct wire_msg m, got;
	uint8_t buf[256];
	int n;

	(void)state;
	wire_sample(&m, WIRE_PORT_DEL);
	memset(m.u.name.name, 'x', sizeof(m.u.name.name));
	assert_int_equal(wire_encode(&m, buf, sizeof(buf)), -EMSGSIZE);
	assert_int_equal(m.u.name.name[0], 'x');
	m.u.name.name[63] = '\0';
	n = wire_encode(&m, buf, sizeof(buf));
	assert_int_equal(n, 12 + 2 + 63);
	assert_int_equal(wire_decode(&got, buf, (size_t)n), 0);
	assert_string_equal(got.u.name.name, m.u.name.name);
	buf[20] = '\0';
	assert_int_equal(wire_decode(&got, buf, (size_t)n), -EBADMSG);
	/* 64 bytes do not leave room for the final zero */
	memset(buf + 14, 'x', 64);
	buf[8] = 66;
	buf[12] = 64;
	assert_int_equal(wire_decode(&got, buf, 12 + 66), -EBADMSG);
}

static void
counts_have_limits(void **state)
{
	static struct wire_msg m, got;
	uint8_t buf[WIRE_MAX_BYTES];
	int n;

	(void)state;
	wire_sample(&m, WIRE_STATS);
	m.u.stats.n = WIRE_MAX_COUNTERS + 1;
	assert_int_equal(wire_encode(&m, buf, sizeof(buf)), -EMSGSIZE);
	assert_int_equal(m.u.stats.n, WIRE_MAX_COUNTERS + 1);
	wire_sample(&m, WIRE_VNIC_SET);
	m.u.vnic.n_addresses = UINT32_MAX;
	assert_int_equal(wire_encode(&m, buf, sizeof(buf)), -EMSGSIZE);
	wire_sample(&m, WIRE_STATS);
	m.u.stats.n = 0;
	n = wire_encode(&m, buf, sizeof(buf));
	assert_int_equal(n, 12 + 8 + 4);
	for (unsigned i = 0; i < 4; i++) {
		buf[20 + i] = 0xff;
		assert_int_equal(wire_decode(&got, buf, (size_t)n), -EBADMSG);
		assert_int_equal(got.u.stats.n, 0);
		buf[20 + i] = 0;
	}
}

/* Deterministic noise: every answer is fine but a crash, see the sanitizers. */
static void
noise_is_decoded_or_refused(void **state)
{
	uint64_t seed = 88172645463325252;
	unsigned n_good = 0;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		static struct wire_msg m;
		uint8_t buf[512];
		int n;

		wire_sample(&m, (enum wire_type)(1 + i % (WIRE_N_TYPES - 1)));
		n = wire_encode(&m, buf, sizeof(buf));
		if (n < 0)
			continue; /* statistics are longer */
		for (unsigned k = 0; k < 1 + i % 3; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			buf[seed % (unsigned)n] = (uint8_t)(seed >> 32);
		}
		if (wire_decode(&m, buf, (size_t)n) == 0) {
			assert_true(m.type > WIRE_NONE);
			assert_true(m.type < WIRE_N_TYPES);
			n_good++;
		}
	}
	assert_true(n_good > 0);
}

/* --- sockets ------------------------------------------------------------------------------ */

static int pair[2];

static int
open_pair(void **state)
{
	(void)state;
	return socketpair(
	    AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int
close_pair(void **state)
{
	(void)state;
	base_close(pair[0]);
	base_close(pair[1]);
	return 0;
}

static unsigned
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Sends bytes with n copies of a descriptor, as a stranger may. */
static void
send_raw(const void *bytes, size_t len, unsigned n_fds)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * 253)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &pair[0],
			    sizeof(int));
	}
	assert_int_equal(sendmsg(pair[0], &msg, MSG_NOSIGNAL), len);
}

static void
each_type_has_its_descriptors(void **state)
{
	static const unsigned counts[] = { 0, 1, 2, 3, 4, 5, 6, 18, 19, 20, 21,
		100, 252, 253 };
	unsigned before = open_fds();

	(void)state;
	for (int type = WIRE_OK; type < WIRE_N_TYPES; type++) {
		static struct wire_msg m, got;
		uint8_t buf[WIRE_MAX_BYTES];
		int n;

		wire_sample(&m, (enum wire_type)type);
		n = wire_encode(&m, buf, sizeof(buf));
		for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
			bool fit = fds_fit(m.type, counts[i]);

			send_raw(buf, (size_t)n, counts[i]);
			assert_int_equal(
			    wire_recv(pair[1], &got), fit ? 0 : -EBADMSG);
			assert_int_equal(got.n_fds, fit ? counts[i] : 0);
			for (unsigned k = 0; k < got.n_fds; k++)
				assert_int_equal(
				    fcntl(got.fds[k], F_GETFD), FD_CLOEXEC);
			wire_close_fds(&got);
			assert_int_equal(got.n_fds, 0);
			assert_int_equal(open_fds(), before);
		}
	}
}

static void
descriptors_of_a_bad_message_are_closed(void **state)
{
	static uint8_t large[WIRE_MAX_BYTES + 1];
	unsigned before = open_fds();
	struct wire_msg got;

	(void)state;
	send_raw("x", 1, 5);
	assert_int_equal(wire_recv(pair[1], &got), -EBADMSG);
	send_raw("", 0, 253);
	assert_int_equal(wire_recv(pair[1], &got), -EBADMSG);
	send_raw(large, sizeof(large), 3);
	assert_int_equal(wire_recv(pair[1], &got), -EBADMSG);
	assert_int_equal(open_fds(), before);
}

static void
a_set_is_sent_with_its_descriptors(void **state)
{
	unsigned before = open_fds();
	struct wire_msg m, got;
	struct stat a, b;

	(void)state;
	wire_sample(&m, WIRE_SET_ADD);
	m.n_fds = 5;
	for (unsigned i = 0; i < 5; i++)
		m.fds[i] =
		    open(i % 2 ? "/dev/null" : "/dev/zero", O_RDWR | O_CLOEXEC);
	assert_int_equal(wire_send(pair[0], &m), 0);
	assert_int_equal(wire_recv(pair[1], &got), 0);
	assert_int_equal(got.n_fds, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(fstat(m.fds[i], &a), 0);
		assert_int_equal(fstat(got.fds[i], &b), 0);
		assert_int_equal(a.st_rdev, b.st_rdev);
		assert_int_not_equal(m.fds[i], got.fds[i]);
	}
	assert_memory_equal(&got.u.set, &m.u.set, sizeof(m.u.set));
	wire_close_fds(&got);
	wire_close_fds(&m);
	assert_int_equal(open_fds(), before);
	m.n_fds = WIRE_MAX_FDS + 1;
	assert_int_equal(wire_send(pair[0], &m), -EINVAL);
}

static void
a_full_or_closed_socket_says_so(void **state)
{
	static struct wire_msg m, got;
	unsigned sent = 0, got_n = 0;
	int rc;

	(void)state;
	wire_sample(&m, WIRE_STATS);
	assert_int_equal(wire_recv(pair[1], &got), -EAGAIN);
	while ((rc = wire_send(pair[0], &m)) == 0)
		sent++;
	assert_int_equal(rc, -EAGAIN);
	while ((rc = wire_recv(pair[1], &got)) == 0)
		got_n++;
	assert_int_equal(rc, -EAGAIN);
	assert_int_equal(got_n, sent);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(wire_recv(pair[1], &got), -EPIPE);
	assert_int_equal(wire_send(pair[1], &m), -EPIPE);
}

static void
answers_carry_the_id(void **state)
{
	struct wire_msg got;
	char longer[400];

	(void)state;
	assert_int_equal(wire_reply_ok(pair[0], 77), 0);
	assert_int_equal(wire_recv(pair[1], &got), 0);
	assert_int_equal(got.type, WIRE_OK);
	assert_int_equal(got.id, 77);
	assert_int_equal(
	    wire_reply_fail(pair[0], 78, -ENOSPC, "%d slots", 9), 0);
	assert_int_equal(wire_recv(pair[1], &got), 0);
	assert_int_equal(got.type, WIRE_FAIL);
	assert_int_equal(got.u.fail.no, ENOSPC);
	assert_string_equal(got.u.fail.text, "9 slots");
	memset(longer, 'l', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(wire_reply_fail(pair[0], 79, -EIO, "%s", longer), 0);
	assert_int_equal(wire_recv(pair[1], &got), 0);
	assert_int_equal(strlen(got.u.fail.text), 255);
}

static void
a_socket_listens_at_a_path(void **state)
{
	char dir[] = "/tmp/europa-test-wire-XXXXXX";
	char path[64], longer[200];
	unsigned before;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	before = open_fds();
	assert_int_equal(wire_connect(path), -ENOENT);
	for (unsigned i = 0; i < 2; i++) { /* the second replaces the first */
		int l = wire_listen(path, 0620);
		int c = wire_connect(path);
		int a = accept4(l, NULL, NULL, SOCK_CLOEXEC);
		struct wire_msg got;

		assert_true(l >= 0 && c >= 0 && a >= 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0620);
		assert_int_equal(wire_reply_ok(c, i), 0);
		assert_int_equal(wire_recv(a, &got), 0);
		assert_int_equal(got.id, i);
		close(a);
		close(c);
		close(l);
	}
	assert_int_equal(wire_connect(path), -ECONNREFUSED);
	memset(longer, 'p', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(wire_listen(longer, 0600), -ENAMETOOLONG);
	assert_int_equal(wire_connect(longer), -ENAMETOOLONG);
	assert_int_equal(open_fds(), before);
	unlink(path);
	rmdir(dir);
}

static void
descriptors_can_be_refused(void **state)
{
	struct wire_msg m = { .type = WIRE_INIT_CONFIG, .n_fds = 1 }, got;
	int rc = wire_refuse_fds(pair[1]);

	(void)state;
	if (rc == -ENOPROTOOPT)
		skip();
	assert_int_equal(rc, 0);
	m.fds[0] = pair[0];
	assert_int_equal(wire_send(pair[0], &m), -EPERM);
	assert_int_equal(wire_reply_ok(pair[0], 7), 0);
	assert_int_equal(wire_recv(pair[1], &got), 0);
	assert_int_equal(got.id, 7);
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_returns_as_it_was),
		cmocka_unit_test(the_bytes_are_those_of_the_drawing),
		cmocka_unit_test(every_length_but_one_is_refused),
		cmocka_unit_test(no_room_is_an_error),
		cmocka_unit_test(types_and_magic_are_checked),
		cmocka_unit_test(strings_have_a_length_and_no_zeros),
		cmocka_unit_test(counts_have_limits),
		cmocka_unit_test(noise_is_decoded_or_refused),
		PAIR_TEST(each_type_has_its_descriptors),
		PAIR_TEST(descriptors_of_a_bad_message_are_closed),
		PAIR_TEST(a_set_is_sent_with_its_descriptors),
		PAIR_TEST(a_full_or_closed_socket_says_so),
		PAIR_TEST(answers_carry_the_id),
		PAIR_TEST(descriptors_can_be_refused),
		PAIR_TEST(a_socket_listens_at_a_path),
	};

	return cmocka_run_group_tests_name("lib_wire", tests, NULL, NULL);
}
