# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2016 # read by tests/mutants/run
# The errors: name, file, edit. An edit fails loudly when the code has moved on.
declare -A file edit
order=()
mutant() {
	order+=("$1")
	file[$1]=$2
	edit[$1]=$3
}

# --- what the host believes -----------------------------------------------------
mutant double_fetch dataplane/ledger.c \
's/\t\tout\[n\]\.bytes =/\t\tx = atomic_load_explicit(\&ledger_tx_ring(l, v)[(l->tx_pos[v] - n_taken + i) \& ((UINT64_C(1) << l->log2) - 1)], memory_order_relaxed);\n&/'
mutant plain_asks_no_range dataplane/ledger.c \
's/slot < m->max_slots \&\&/true \&\&/'
mutant plain_asks_no_owner dataplane/ledger.c \
's/(uint8_t)(m->own\[slot & m->slot_mask\] - OWN_FILLED) <\n\t\t   VNIC_MAX_VNICS/true/'
mutant plain_asks_no_length dataplane/ledger.c \
's/ && vnic_desc_off(d) + len <= m->slot_bytes//'
mutant double_fetch_slot dataplane/ledger.c \
's/\tslot &= l->slot_mask;[^\n]*/\tslot = vnic_desc_slot(ledger_tx_ring(l, v)[0]) \& l->slot_mask;/'
mutant no_owner_check dataplane/ledger.c \
's/l->own\[slot\] == OWN_EMPTY || l->own\[slot\] == OWN_RETIRED/0/'
mutant retired_is_held dataplane/ledger.c \
's/ || l->own\[slot\] == OWN_RETIRED//'
mutant no_slot_range_check dataplane/ledger.c \
's/slot >= l->max_slots/0/'
mutant no_len_check dataplane/ledger.c \
's/vnic_desc_off(d) + len > slot_bytes/0/'
mutant no_least_len dataplane/ledger.c \
's/len < VNIC_MIN_FRAME ||//'
mutant narrow_sum dataplane/ledger.c \
's/vnic_desc_off(d) + len > slot_bytes/(uint16_t)(vnic_desc_off(d) + len) > slot_bytes/'
mutant no_zero_bits dataplane/ledger.c \
's/vnic_desc_zero(d) != 0/0/'
mutant any_kind dataplane/ledger.c \
's/kind != VNIC_KIND_DONE/0/'
mutant no_bound_on_take dataplane/ledger.c \
's/d,\n\t    MIN(max, (unsigned)VNIC_BURST)/d, 1U << l->log2/'
mutant no_fault_threshold dataplane/ledger.c \
's/if (unlikely(l->n_faults >= LEDGER_MAX_FAULTS))/if (0)/g'
mutant reclaim_not_held dataplane/ledger.c \
's/count_fault(l, v, VNIC_FAULT_NOT_HELD);/ledger_put_free(l, slot);\n&/'
mutant bad_slot_kept dataplane/ledger.c \
's/\telse\n\t\tledger_put_free(l, slot);\n\treturn verdict;/\treturn verdict;/'
mutant r_at_least dataplane/ledger.c \
's/vnic_epoch_load(&l->router->r) != l->epoch/vnic_epoch_load(\&l->router->r) < l->epoch/'

# --- the account ----------------------------------------------------------------
mutant filled_after_descriptors dataplane/ledger.c \
's/\tvnic_count_add(&l->counters\[v\]\.filled, n);//; s/\t\tl->published = true;\n\t\tslots += m;/\t\tvnic_count_add(\&l->counters[v].filled, m);\n&/'
mutant back_to_the_ring dataplane/ledger.c \
's/tally_back(t, owner - OWN_FILLED,/tally_back(t, v,/g'
mutant done_to_the_ring dataplane/ledger.c \
's/l->counters\[home\]\.done/l->counters[v].done/'
mutant grant_unused_is_done dataplane/ledger.c \
's/if (verdict != VERDICT_DONE)\n\t\t\tt->n_originated++;/t->n_originated++;/'
mutant doubt_twice dataplane/ledger_epoch.c \
's/vnic_count(&c->back) -\n\t\t\t\t vnic_count(&c->in_doubt)/vnic_count(\&c->back)/; s/vnic_count(&c->back) - vnic_count(&c->in_doubt)/vnic_count(\&c->back)/'
mutant no_doubt dataplane/ledger_epoch.c \
's/vnic_count_add(&c->in_doubt, doubt);/(void)doubt;/'

# --- slots ------------------------------------------------------------------------
mutant no_reserve dataplane/ledger.c \
's/return l->n_free > missing ? l->n_free - missing : 0;/return l->n_free;/'
mutant released_too_early dataplane/ledger.c \
's/\tif (verdict == VERDICT_PACKET)\n\t\tl->own\[slot\] = OWN_EMPTY;\n\telse\n//'
mutant shrink_forgets_the_away dataplane/ledger_internal.h \
's/l->surplus > 0/0/'
mutant ring_smaller_than_partition lib/vnic_layout.c \
's/UINT32_C(1) << g->ring_log2/VNIC_MAX_SLOTS/'

# --- epochs -----------------------------------------------------------------------
mutant no_blanking_by_router lib/vnic.c \
's/vnic_ring_blank(/(void)(/'
mutant no_blanking_by_host dataplane/ledger_epoch.c \
's/vnic_ring_blank(/(void)(/'
mutant zero_is_a_turn lib/vnic_ring.h \
's/(1 + 2 \* ((pos >> log2) & 1))/(2 * ((pos >> log2) \& 1))/'
mutant one_turn lib/vnic_ring.h \
's/(1 + 2 \* ((pos >> log2) & 1))/UINT64_C(1)/'
mutant joins_a_running_epoch lib/vnic.c \
's/vnic_epoch_store(&q->router->r, 0);\n\t\tkick(q);\n\t\treturn VNIC_WAIT;/blank_tx(q);\n\t\tq->acked = epoch;\n\t\treturn VNIC_RUN;/'
mutant kick_only_if_r_changed lib/vnic.c \
's/vnic_epoch_store(&q->router->r, 0);\n\t\tkick(q);/if (q->router->r) {\n\t\tvnic_epoch_store(\&q->router->r, 0);\n\t\tkick(q); }/'
mutant run_without_ack dataplane/ledger_epoch.c \
's/if (vnic_epoch_load(&l->router->r) != l->epoch)\n\t\treturn false;//'
mutant no_hold dataplane/ledger_epoch.c \
's/ || now_ns < l->hold_until_ns//'
mutant hold_never_grows dataplane/ledger_epoch.c \
's/return MIN(2 \* last, h->last);/return last;/'
mutant quarantine_cut_short dataplane/ledger_epoch.c \
's/MAX(l->hold_until_ns, now_ns + hold)/now_ns + hold/'
mutant faults_outlive_the_epoch dataplane/ledger_epoch.c \
's/\tl->n_faults = 0;\n//'
mutant stop_outlives_the_epoch dataplane/ledger_epoch.c \
's/ledger_set_number(&l->stop_asked, 0);//'

# --- sleep ------------------------------------------------------------------------
mutant look_before_asleep lib/vnic.c \
's/\t\tvnic_sleep_begin(&qs\[i\]->router->asleep);\n//; s/\t\twork |= queue_has_work(qs\[i\]);/\t{\n\t\twork |= queue_has_work(qs[i]);\n\t\tvnic_sleep_begin(\&qs[i]->router->asleep);\n\t}/'
mutant asleep_is_a_flag lib/vnic_ring.h \
's/asleep, (a | 1) + 2 \* (a & 1), memory_order_seq_cst/asleep, (a | 1) - (a \& ~UINT32_C(1)), memory_order_seq_cst/; s/asleep, (a | 1) + 1, memory_order_relaxed/asleep, 0, memory_order_relaxed/'
mutant owed_wake_forgotten dataplane/ledger.c \
's/\t\treturn true;\n\tl->wake_owed = false;/\t\treturn (l->wake_owed = false);\n&/'
mutant no_wake_limit dataplane/ledger.c \
's/now_ns != 0 && now_ns - l->woken_ns < WAKE_GAP_NS/0/'
mutant private_futex dataplane/ledger_epoch.c \
's/FUTEX_WAKE, WAKE_MOST/FUTEX_WAKE | FUTEX_PRIVATE_FLAG, WAKE_MOST/'
mutant wake_word_stands_still dataplane/ledger_epoch.c \
's/\tvnic_wake_bump(&l->host->wake);\n//'
mutant grants_wake_nobody dataplane/ledger.c \
's/\tl->published = true;\n}\n\nunsigned\nledger_room/}\n\nunsigned\nledger_room/'
mutant reset_wakes_nobody dataplane/ledger_epoch.c \
's/VNIC_STATE_WAIT));\n\tledger_wake_router(l);/VNIC_STATE_WAIT));/'
mutant run_wakes_nobody dataplane/ledger_epoch.c \
's/VNIC_STATE_RUN));\n\tledger_wake_router(l);/VNIC_STATE_RUN));/'
