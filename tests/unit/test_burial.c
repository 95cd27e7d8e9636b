/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_burial: descriptors whose close waits for a peer that never reads do not
 * hold up who closes them.
 */
#include "agent/burial.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { MOST = 4, LINGER_S = 10 };

/* Its peer, in the backlog of *listener, goes when that is closed. */
static int
lingering_socket(int *listener)
{
	static char junk[65536];
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger l = { .l_onoff = 1, .l_linger = LINGER_S };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(*listener, 1), 0);
	getsockname(*listener, (struct sockaddr *)&a, &n);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		skip(); /* a sandbox without a loopback */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	return fd;
}

static void
nobody_waits_for_a_close(void **state)
{
	struct burial *b = burial_new();
	uint64_t begin = loop_now_ms();
	int listener[MOST];

	(void)state;
	assert_non_null(b);
	for (unsigned i = 0; i < MOST; i++) {
		assert_false(burial_is_full(b));
		burial_close(b, lingering_socket(&listener[i]));
	}
	burial_close(b, -1);
	assert_true(loop_now_ms() - begin < LINGER_S * 1000);
	assert_true(burial_is_full(b));
	for (unsigned i = 0; i < MOST; i++)
		close(listener[i]); /* resets what lingers */
	for (unsigned i = 0; i < 5000 && burial_is_full(b); i++)
		usleep(1000);
	assert_false(burial_is_full(b));
	burial_close(b, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	burial_free(b); /* while threads may still be at it */
	burial_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits_for_a_close),
	};

	return cmocka_run_group_tests_name("burial", tests, NULL, NULL);
}
