/* SPDX-License-Identifier: Apache-2.0 */
/*
 * police_hook: included before police.c when it is compiled for
 * test_police_clock: another worker's move between the look into the tanks and
 * the taking. Two threads would meet in that moment by chance, this one does.
 */
#ifndef TESTS_POLICE_HOOK_H
#define TESTS_POLICE_HOOK_H

void other_worker(void);

#define POLICE_HOOK() other_worker()

#endif
