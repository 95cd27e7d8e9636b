/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count: the names of the counters, as statistics show them.
 */
#include "router/count.h"

static const char *const names[N_COUNTERS] = {
	[FATE_RUNT] = "runt",
	[FATE_FOREIGN_MAC] = "foreign_mac",
	[FATE_GROUP_MAC] = "group_mac",
	[FATE_ETHERTYPE] = "unknown_ethertype",
	[FATE_IP6] = "ipv6_unsupported",
	[FATE_SHORT] = "ip_too_short",
	[FATE_CHECKSUM] = "bad_checksum",
	[FATE_VERSION] = "bad_version",
	[FATE_IHL] = "bad_header_length",
	[FATE_TOTAL_LENGTH] = "bad_total_length",
	[FATE_MARTIAN_SOURCE] = "martian_source",
	[FATE_MARTIAN_DESTINATION] = "martian_destination",
	[FATE_MULTICAST] = "multicast",
	[FATE_BROADCAST] = "broadcast",
	[FATE_VNIC_DOWN] = "vnic_down",
	[FATE_OVERSIZE] = "mtu_exceeded",
	[FATE_ARP] = "to_slow_arp",
	[FATE_LOCAL] = "to_slow_local",
	[FATE_OPTIONS] = "to_slow_options",
	[FATE_TTL] = "ttl_expired",
	[FATE_NO_ROUTE] = "no_route",
	[FATE_UNRESOLVED] = "to_slow_unresolved",
	[FATE_TOO_BIG] = "too_big_df",
	[COUNT_RX] = "rx",
	[COUNT_FORWARDED] = "forwarded",
	[COUNT_SLOW_OVERFLOW] = "slow_overflow",
	[COUNT_ARP_REQUEST_RECEIVED] = "arp_request_received",
	[COUNT_ARP_REPLY_RECEIVED] = "arp_reply_received",
	[COUNT_ARP_BAD] = "arp_bad",
	[COUNT_ARP_IGNORED] = "arp_ignored",
	[COUNT_ARP_CONFLICT] = "arp_conflict",
	[COUNT_ARP_REPLY_SENT] = "arp_reply_sent",
	[COUNT_ARP_REQUEST_SENT] = "arp_request_sent",
	[COUNT_ARP_ANNOUNCED] = "arp_announced",
	[COUNT_ARP_LIMITED] = "arp_limited",
	[COUNT_ARP_FAILED] = "arp_failed",
	[COUNT_ARP_TABLE_FULL] = "arp_table_full",
	[COUNT_ARP_PENDING_DROPPED] = "arp_pending_dropped",
	[COUNT_ICMP_ECHO_REPLY] = "icmp_echo_reply",
	[COUNT_ICMP_TIME_EXCEEDED] = "icmp_time_exceeded",
	[COUNT_ICMP_NET_UNREACHABLE] = "icmp_net_unreachable",
	[COUNT_ICMP_HOST_UNREACHABLE] = "icmp_host_unreachable",
	[COUNT_ICMP_PROTOCOL_UNREACHABLE] = "icmp_protocol_unreachable",
	[COUNT_ICMP_PORT_UNREACHABLE] = "icmp_port_unreachable",
	[COUNT_ICMP_FRAG_NEEDED] = "icmp_frag_needed",
	[COUNT_ICMP_PARAMETER_PROBLEM] = "icmp_parameter_problem",
	[COUNT_ICMP_LIMITED] = "icmp_limited",
	[COUNT_ICMP_SUPPRESSED] = "icmp_suppressed",
	[COUNT_LOCAL_BAD] = "local_bad",
	[COUNT_LOCAL_FRAGMENT] = "local_fragment",
	[COUNT_LOCAL_IGNORED] = "local_ignored",
	[COUNT_SOURCE_ROUTE] = "source_route",
	[COUNT_SLOW_FORWARDED] = "slow_forwarded",
	[COUNT_SLOW_SENT] = "slow_sent",
	[COUNT_SLOW_DROPPED] = "slow_dropped",
	[COUNT_OVERTAKEN] = "overtaken",
	[COUNT_NO_GRANT] = "no_grant",
	[COUNT_SLOW_TX_FULL] = "slow_tx_full",
	[COUNT_TABLES] = "tables_published",
};

const char *
count_name(unsigned which)
{
	return names[which];
}
