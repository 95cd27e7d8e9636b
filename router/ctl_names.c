/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_names: see ctl_names.h.
 */
#include "router/ctl_names.h"

#include <stddef.h>

static const char *const fates[N_FATES] = {
	[FATE_RUNT] = "ether_in",
	[FATE_FOREIGN_MAC] = "ether_in",
	[FATE_GROUP_MAC] = "ether_in",
	[FATE_ETHERTYPE] = "ether_in",
	[FATE_SHORT] = "check_ip",
	[FATE_CHECKSUM] = "check_ip",
	[FATE_VERSION] = "check_ip",
	[FATE_IHL] = "check_ip",
	[FATE_TOTAL_LENGTH] = "check_ip",
	[FATE_MARTIAN_SOURCE] = "check_ip",
	[FATE_MARTIAN_DESTINATION] = "check_ip",
	[FATE_MULTICAST] = "check_ip",
	[FATE_BROADCAST] = "lookup",
	[FATE_VNIC_DOWN] = "lookup",
	[FATE_DENIED] = "filter",
	[FATE_PIPELINE] = "own_step",
	[FATE_THROW] = "own_step",
	[FATE_ARP] = "ether_in",
	[FATE_ND] = "check_ip",
	[FATE_LOCAL] = "lookup",
	[FATE_OPTIONS] = "check_ip",
	[FATE_REJECTED] = "filter",
	[FATE_SCOPE] = "lookup",
	[FATE_TTL] = "ttl",
	[FATE_NO_ROUTE] = "lookup",
	[FATE_UNRESOLVED] = "lookup",
	[FATE_OVERSIZE] = "ttl",
	[FATE_TOO_BIG] = "ttl",
};

/* Behind the fast path; what only passes through the slow path is no drop. */
static const char *const others[N_COUNTERS] = {
	[FATE_REJECTED] = "filter",
	[FATE_SCOPE] = "lookup",
	[FATE_TTL] = "ttl",
	[FATE_NO_ROUTE] = "lookup",
	[FATE_TOO_BIG] = "ttl",
	[COUNT_SLOW_OVERFLOW] = "slow_path",
	[COUNT_ARP_BAD] = "arp",
	[COUNT_ARP_TABLE_FULL] = "arp",
	[COUNT_ARP_PENDING_DROPPED] = "arp",
	[COUNT_ND_BAD] = "nd",
	[COUNT_ND_TABLE_FULL] = "nd",
	[COUNT_ND_PENDING_DROPPED] = "nd",
	[COUNT_LOCAL_BAD] = "local",
	[COUNT_LOCAL_FRAGMENT] = "local",
	[COUNT_LOCAL_IGNORED] = "local",
	[COUNT_SOURCE_ROUTE] = "options",
	[COUNT_SLOW_DROPPED] = "slow_path",
	[COUNT_OVERTAKEN] = "slow_path",
	[COUNT_SLOW_TX_FULL] = "slow_path",
};

const char *
ctl_drop_module(unsigned which)
{
	if (which < FATE_N_DROPS)
		return fates[which];
	return which < N_COUNTERS ? others[which] : NULL;
}

const char *
ctl_fate_module(unsigned fate)
{
	return fates[fate];
}
