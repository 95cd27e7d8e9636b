/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_hook: included before the ledger's sources when they are compiled for
 * fuzz_ledger: the tenant's move between the load of shared words and their
 * use. Two threads would have to meet in that moment by chance, this one does.
 */
#ifndef TESTS_LEDGER_HOOK_H
#define TESTS_LEDGER_HOOK_H

void fuzz_tenant(void);

#define LEDGER_HOOK(l) ((void)(l), fuzz_tenant())

#endif
