/* SPDX-License-Identifier: GPL-2.0-or-later */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM klplab

#if !defined(KLPLAB_OWNER_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KLPLAB_OWNER_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(klplab_seen,
	TP_PROTO(int what),
	TP_ARGS(what),
	TP_STRUCT__entry(__field(int, what)),
	TP_fast_assign(__entry->what = what;),
	TP_printk("what=%d", __entry->what)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE klplab_owner_trace
#include <trace/define_trace.h>
