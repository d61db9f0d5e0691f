/* SPDX-License-Identifier: GPL-2.0-or-later */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gadget

#if !defined(GADGET_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define GADGET_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(gadget_shown,
	TP_PROTO(int size),
	TP_ARGS(size),
	TP_STRUCT__entry(__field(int, size)),
	TP_fast_assign(__entry->size = size;),
	TP_printk("size=%d", __entry->size)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE gadget_trace
#include <trace/define_trace.h>
