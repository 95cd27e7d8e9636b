/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: what the kernel says of the machine, as JSON for clients. Each call
 * reads a few small files of /proc and /sys; what is not there is null, or left
 * out. Nothing is kept, and nothing is changed.
 */
#ifndef AGENT_MACHINE_H
#define AGENT_MACHINE_H

#include <jansson.h>
#include <stdint.h>

/* The cores that are online, "0-3,8"; null if nobody says. */
json_t *machine_cpus(void);
/* [{"node", "cpus"}], in order; empty where the kernel knows of none. */
json_t *machine_numa(void);
/* [{"size_bytes", "total", "free"}], by size. */
json_t *machine_hugepages(void);
/* The cores that each worker of the data plane may run on: ["2", "3"]. */
json_t *machine_workers(uint32_t plane_pid);
uint64_t machine_memory_bytes(void);

#endif
