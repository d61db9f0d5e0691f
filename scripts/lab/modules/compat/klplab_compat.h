/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the kernels that the lab's livepatches are built for.
 *
 * Before 5.1 a klp_patch is registered before it is enabled, and unregistered when the
 * module goes (958ef1e39d24 removed klp_register_patch and klp_unregister_patch).
 * Before 5.8 klp relocations for vmlinux are applied with the klp_object without a name
 * (7c8e2bdd5f0d), which a livepatch of a module needs then as well.
 * Static calls are in 5.10 and later (include/linux/static_call.h).
 */
#ifndef KLPLAB_COMPAT_H
#define KLPLAB_COMPAT_H

#include <linux/livepatch.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)
static bool klplab_registered;

static inline int klplab_enable(struct klp_patch *patch)
{
	int err = klp_register_patch(patch);

	if (err)
		return err;
	err = klp_enable_patch(patch);
	if (err) {
		WARN_ON(klp_unregister_patch(patch));
		return err;
	}
	klplab_registered = true;
	return 0;
}

static inline void klplab_leave(struct klp_patch *patch)
{
	if (klplab_registered)
		WARN_ON(klp_unregister_patch(patch));
}
#else
#define klplab_enable klp_enable_patch
static inline void klplab_leave(struct klp_patch *patch)
{
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 8, 0)
static struct klp_func klplab_no_funcs[] __maybe_unused = { { } };
#define KLPLAB_VMLINUX { .funcs = klplab_no_funcs },
#else
#define KLPLAB_VMLINUX
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 10, 0)
#include <linux/static_call.h>
#define KLPLAB_STATIC_CALLS
#endif

#endif
