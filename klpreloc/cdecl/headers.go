// SPDX-License-Identifier: GPL-2.0-or-later

package cdecl

import (
	"strings"
	"sync"
)

// Which header has what: in the headers of all of 5.10, 6.1, 6.12 and 7.3 that have it (those of
// Debian, x86_64), for what the prototypes of these kernels' functions use. A header that only
// exists to be included by another one is not named, nor is what several headers have.

// typedefHeaders are the headers of typedefs.
var typedefHeaders = sync.OnceValue(func() map[string]string {
	return headersOf(map[string]string{
		"asm/inat_types.h":      `insn_attr_t insn_byte_t`,
		"asm/mpspec.h":          `physid_mask_t`,
		"asm/msi.h":             `msi_alloc_info_t`,
		"asm/rqspinlock.h":      `rqspinlock_t`,
		"asm/uprobes.h":         `uprobe_opcode_t`,
		"asm/xen/trace_types.h": `xen_mc_callback_fn_t`,
		"crypto/aes.h":          `aes_encrypt_arg`,
		"crypto/sha1_base.h":    `sha1_block_fn`,
		"crypto/sha256_base.h":  `sha256_block_fn`,
		"crypto/sha512_base.h":  `sha512_block_fn`,
		"linux/acpi.h": `acpi_adr_space_handler acpi_adr_space_setup acpi_adr_space_type
		acpi_event_handler acpi_event_status acpi_gpe_handler acpi_handle
		acpi_integer acpi_io_address acpi_notify_handler acpi_object_handler
		acpi_object_type acpi_owner_id acpi_physical_address acpi_rs_length
		acpi_rsdesc_size acpi_sci_handler acpi_size acpi_status acpi_string
		acpi_table_handler acpi_tbl_entry_handler acpi_walk_callback
		acpi_walk_resource_callback phys_cpuid_t`,
		"linux/async.h":        `async_cookie_t async_func_t`,
		"linux/atomic.h":       `atomic_long_t`,
		"linux/blk-mq.h":       `busy_tag_iter_fn`,
		"linux/blk_types.h":    `bio_end_io_t blk_mq_req_flags_t blk_opf_t blk_qc_t blk_status_t`,
		"linux/blkdev.h":       `report_zones_cb`,
		"linux/bpf.h":          `bpf_callback_t bpf_func_t`,
		"linux/bpf_verifier.h": `spis_t`,
		"linux/bpfptr.h":       `bpfptr_t`,
		"linux/buffer_head.h":  `bh_end_io_t`,
		"linux/capability.h":   `kernel_cap_t`,
		"linux/compat.h": `compat_long_t compat_pid_t compat_sigset_t compat_size_t
		compat_ssize_t compat_stack_t compat_ulong_t compat_uptr_t`,
		"linux/cpumask.h":    `cpumask_t cpumask_var_t`,
		"linux/dax.h":        `dax_entry_t`,
		"linux/device.h":     `device_match_t dr_match_t dr_release_t`,
		"linux/device/bus.h": `device_iter_t`,
		"linux/dmaengine.h":  `dma_cap_mask_t dma_cookie_t dma_filter_fn`,
		"linux/dpll.h":       `dpll_tracker`,
		"linux/efi.h": `efi_bool_t efi_capsule_header_t efi_char16_t efi_config_table_t
		efi_config_table_type_t efi_element_handler_t efi_guid_t
		efi_memory_desc_t efi_status_t efi_system_table_t efi_table_hdr_t
		efi_time_cap_t efi_time_t`,
		"linux/errseq.h":         `errseq_t`,
		"linux/file_ref.h":       `file_ref_t`,
		"linux/filter.h":         `bpf_aux_classic_check_t bpf_jit_fill_hole_t`,
		"linux/font.h":           `font_data_t`,
		"linux/fs.h":             `get_block_t rwf_t`,
		"linux/ftrace.h":         `ftrace_func_t`,
		"linux/genalloc.h":       `genpool_algo_t`,
		"linux/gfp.h":            `acr_flags_t`,
		"linux/hugetlb.h":        `hugepd_t`,
		"linux/i8042.h":          `i8042_filter_t`,
		"linux/init.h":           `initcall_t`,
		"linux/interrupt.h":      `irq_handler_t`,
		"linux/io_uring_types.h": `io_tw_token_t`,
		"linux/ioport.h":         `resource_alignf`,
		"linux/irqhandler.h":     `irq_flow_handler_t`,
		"linux/irqreturn.h":      `irqreturn_t`,
		"linux/key.h":            `key_perm_t key_ref_t key_serial_t`,
		"linux/kobj_map.h":       `kobj_probe_t`,
		"linux/kprobes.h":        `kprobe_opcode_t`,
		"linux/kthread.h":        `kthread_work_func_t`,
		"linux/ktime.h":          `ktime_t`,
		"linux/list_lru.h":       `list_lru_walk_cb`,
		"linux/list_sort.h":      `list_cmp_func_t`,
		"linux/livepatch.h":      `klp_shadow_ctor_t klp_shadow_dtor_t`,
		"linux/memory.h":         `walk_memory_blocks_func_t`,
		"linux/memory_hotplug.h": `mhp_t online_page_callback_t`,
		"linux/mempool.h":        `mempool_alloc_t mempool_free_t mempool_t`,
		"linux/migrate.h":        `free_folio_t free_page_t new_folio_t new_page_t`,
		"linux/min_heap.h":       `min_heap_char`,
		"linux/mm.h": `p4d_t p4dval_t pgd_t pgdval_t pgprot_t pgprotval_t pgtable_t pmd_t
		pmdval_t pte_fn_t pte_t pteval_t pud_t pudval_t release_pages_arg
		swp_entry_t vm_fault_t vm_flags_t zap_flags_t`,
		"linux/mm_types.h":        `softleaf_t vma_flags_t`,
		"linux/mmzone.h":          `isolate_mode_t pg_data_t`,
		"linux/mnt_idmapping.h":   `vfsgid_t vfsuid_t`,
		"linux/mpi.h":             `mpi_barrett_t mpi_limb_t`,
		"linux/mroute.h":          `vifi_t`,
		"linux/mroute6.h":         `mifi_t`,
		"linux/msi.h":             `irq_write_msi_msg_t`,
		"linux/net.h":             `read_descriptor_t sk_read_actor_t skb_read_actor_t sockopt_t`,
		"linux/netdev_features.h": `netdev_features_t`,
		"linux/netdevice.h":       `gro_result_t netdev_tx_t xdp_features_t`,
		"linux/netlink.h":         `netlink_filter_fn`,
		"linux/nls.h":             `unicode_t`,
		"linux/node.h":            `node_registration_func_t`,
		"linux/nodemask.h":        `nodemask_t`,
		"linux/pagemap.h":         `fgf_t`,
		"linux/parser.h":          `substring_t`,
		"linux/pci.h":             `pci_channel_state_t pci_ers_result_t pci_power_t`,
		"linux/percpu-refcount.h": `percpu_ref_func_t`,
		"linux/percpu.h": `pcpu_fc_alloc_fn_t pcpu_fc_cpu_distance_fn_t
		pcpu_fc_cpu_to_node_fn_t pcpu_fc_free_fn_t`,
		"linux/perf_event.h":   `perf_overflow_handler_t`,
		"linux/pfn.h":          `pfn_t`,
		"linux/phy.h":          `phy_interface_t`,
		"linux/pm.h":           `pm_message_t`,
		"linux/poll.h":         `poll_table`,
		"linux/proc_fs.h":      `proc_write_t`,
		"linux/projid.h":       `kprojid_t projid_t`,
		"linux/property.h":     `devcon_match_fn_t`,
		"linux/quota.h":        `qid_t qsize_t`,
		"linux/refcount.h":     `refcount_t`,
		"linux/rmap.h":         `rmap_t`,
		"linux/seqlock.h":      `seqcount_t`,
		"linux/signal.h":       `kernel_siginfo_t siginfo_t sigset_t stack_t`,
		"linux/siphash.h":      `hsiphash_key_t siphash_key_t`,
		"linux/slab.h":         `kmem_buckets`,
		"linux/smp.h":          `call_single_data_t smp_call_func_t smp_cond_func_t`,
		"linux/sockptr.h":      `sockptr_t`,
		"linux/spinlock.h":     `raw_spinlock_t rwlock_t spinlock_t`,
		"linux/splice.h":       `splice_actor`,
		"linux/stackdepot.h":   `depot_stack_handle_t`,
		"linux/stacktrace.h":   `stack_trace_consume_fn`,
		"linux/stop_machine.h": `cpu_stop_fn_t`,
		"linux/suspend.h":      `suspend_state_t`,
		"linux/task_work.h":    `task_work_func_t`,
		"linux/time64.h":       `time64_t`,
		"linux/types.h": `__be16 __be32 __kernel_fsid_t __kernel_long_t __kernel_size_t
		__kernel_ulong_t __le64 __poll_t __s64 __sum16 __u16 __u32 __u64
		__u8 __wsum atomic64_t atomic_t bool clock_t clockid_t cmp_func_t
		cmp_r_func_t dev_t dma_addr_t fd_set fmode_t gfp_t gid_t ino_t
		irq_hw_number_t key_t loff_t mqd_t off_t old_gid_t phys_addr_t pid_t
		ptrdiff_t rcu_callback_t rcuref_t resource_size_t s16 s32 s64 s8
		sector_t size_t slab_flags_t ssize_t swap_func_t swap_r_func_t
		timer_t u16 u32 u64 u8 u_int u_int8_t u_short uid_t uint uint16_t
		uint32_t uint64_t uint8_t ulong umode_t uoff_t ushort`,
		"linux/ucs2_string.h":           `ucs2_char_t`,
		"linux/uidgid.h":                `kgid_t kuid_t`,
		"linux/uio.h":                   `iov_iter_extraction_t`,
		"linux/userfaultfd_k.h":         `uffd_flags_t`,
		"linux/uuid.h":                  `guid_t uuid_t`,
		"linux/wait.h":                  `wait_queue_entry_t wait_queue_head_t`,
		"linux/wait_bit.h":              `wait_bit_action_f`,
		"linux/workqueue.h":             `work_func_t`,
		"linux/xarray.h":                `xa_mark_t`,
		"linux/xfrm.h":                  `xfrm_address_t`,
		"linux/zlib.h":                  `z_stream z_streamp`,
		"net/devlink.h":                 `devlink_resource_occ_get_t`,
		"net/flow_offload.h":            `flow_setup_cb_t`,
		"net/inet6_hashtables.h":        `inet6_ehashfn_t`,
		"net/inet_dscp.h":               `dscp_t`,
		"net/inet_hashtables.h":         `inet_ehashfn_t`,
		"net/iw_handler.h":              `iw_handler`,
		"net/l3mdev.h":                  `lookup_by_table_id_t`,
		"net/net_trackers.h":            `netdevice_tracker`,
		"net/netmem.h":                  `netmem_ref`,
		"net/rtnetlink.h":               `rtnl_doit_func rtnl_dumpit_func`,
		"xen/grant_table.h":             `xen_grant_fn_t`,
		"xen/interface/event_channel.h": `evtchn_port_t`,
		"xen/interface/grant_table.h":   `grant_handle_t grant_ref_t`,
		"xen/interface/xen.h":           `domid_t`,
	})
})

// tagHeaders are the headers of structs, unions and enums: all enums that prototypes use, and of
// structs those that are passed by value or that functions use most.
var tagHeaders = sync.OnceValue(func() map[string]string {
	return headersOf(map[string]string{
		"acpi/cppc_acpi.h":         `enum:cppc_regs`,
		"asm/io_apic.h":            `struct:IO_APIC_route_entry`,
		"asm/pgtable_types.h":      `struct:pgprot`,
		"asm/ptrace.h":             `struct:pt_regs`,
		"asm/thread_info.h":        `struct:thread_info`,
		"asm/xen/page.h":           `struct:xmaddr`,
		"cxl/cxl.h":                `enum:cxl_devtype enum:cxl_partition_mode`,
		"cxl/event.h":              `struct:cxl_ras_capability_regs`,
		"keys/system_keyring.h":    `enum:blacklist_hash_type`,
		"linux/acpi.h":             `struct:acpi_buffer struct:acpi_device`,
		"linux/alarmtimer.h":       `enum:alarmtimer_restart enum:alarmtimer_type`,
		"linux/audit.h":            `enum:audit_nfcfgop`,
		"linux/backing-dev-defs.h": `enum:wb_reason`,
		"linux/backlight.h":        `enum:backlight_type enum:backlight_update_reason`,
		"linux/base64.h":           `enum:base64_variant`,
		"linux/binfmts.h":          `struct:linux_binprm`,
		"linux/blk-crypto.h":       `enum:blk_crypto_key_type enum:blk_crypto_mode_num`,
		"linux/blk-mq.h":           `enum:blk_eh_timer_return enum:rq_end_io_ret struct:request`,
		"linux/blk_types.h":        `enum:req_op enum:req_opf struct:bio struct:block_device`,
		"linux/blkdev.h": `enum:blk_bounce enum:blk_zoned_model struct:gendisk
		struct:request_queue`,
		"linux/blkzoned.h":        `enum:blk_zone_cond`,
		"linux/bpf-cgroup-defs.h": `enum:cgroup_bpf_attach_type`,
		"linux/bpf.h": `enum:bpf_access_type enum:bpf_arg_type enum:bpf_attach_type
		enum:bpf_cgroup_storage_type enum:bpf_cmd enum:bpf_dynptr_type
		enum:bpf_func_id enum:bpf_link_type enum:bpf_map_type
		enum:bpf_prog_type enum:bpf_reg_type enum:bpf_stream_id
		enum:bpf_text_poke_type enum:bpf_tramp_prog_type enum:bpf_type_flag
		struct:bpf_map`,
		"linux/bpf_verifier.h": `enum:bpf_iter_state enum:bpf_reg_arg_type enum:bpf_reg_liveness
		struct:bpf_reg_state struct:bpf_retval_range`,
		"linux/btf.h":         `enum:btf_field_iter_kind`,
		"linux/buffer_head.h": `struct:buffer_head`,
		"linux/bug.h":         `enum:bug_trap_type`,
		"linux/bvec.h":        `struct:bvec_iter`,
		"linux/cc_platform.h": `enum:cc_attr`,
		"linux/cdev.h":        `struct:cdev`,
		"linux/cgroup-defs.h": `enum:cgroup_attach_lock_mode struct:cgroup
		struct:cgroup_subsys_state`,
		"linux/cgroup_rdma.h":            `enum:rdmacg_resource_type`,
		"linux/clockchips.h":             `enum:clock_event_state`,
		"linux/clocksource_ids.h":        `enum:clocksource_ids`,
		"linux/cnum.h":                   `struct:cnum32 struct:cnum64`,
		"linux/compaction.h":             `enum:compact_priority enum:compact_result`,
		"linux/completion.h":             `struct:completion`,
		"linux/console.h":                `enum:con_flush_mode enum:con_scroll enum:nbcon_prio struct:console`,
		"linux/consolemap.h":             `enum:translation_map`,
		"linux/context_tracking_state.h": `enum:ctx_state`,
		"linux/coredump.h":               `enum:coredump_mark`,
		"linux/cpu.h":                    `enum:cpu_attack_vectors enum:cpuhp_smt_control`,
		"linux/cpuhotplug.h":             `enum:cpuhp_state`,
		"linux/cpumask.h":                `struct:cpumask`,
		"linux/cred.h":                   `struct:cred`,
		"linux/crypto.h":                 `struct:crypto_async_request struct:crypto_tfm`,
		"linux/damon.h": `enum:damon_filter_type enum:damon_ops_id enum:damos_action
		enum:damos_filter_type enum:damos_quota_goal_metric`,
		"linux/dax.h":           `enum:dax_access_mode`,
		"linux/dcache.h":        `struct:dentry struct:qstr`,
		"linux/device.h":        `struct:device struct:device_attribute`,
		"linux/device/bus.h":    `enum:bus_notifier_event struct:bus_type`,
		"linux/device/class.h":  `struct:class`,
		"linux/device/driver.h": `struct:device_driver`,
		"linux/devlink.h": `enum:devlink_command enum:devlink_param_cmode enum:devlink_port_type
		enum:devlink_rate_type enum:devlink_reload_action
		enum:devlink_reload_limit enum:devlink_trap_action`,
		"linux/dim.h":           `struct:dim_cq_moder struct:dim_sample`,
		"linux/dma-direction.h": `enum:dma_data_direction`,
		"linux/dma-fence.h":     `struct:dma_fence`,
		"linux/dma-resv.h":      `enum:dma_resv_usage`,
		"linux/dmaengine.h": `enum:dma_status enum:dma_transaction_type
		enum:dma_transfer_direction`,
		"linux/dpll.h":      `enum:dpll_cmd enum:dpll_ffo_type enum:dpll_type`,
		"linux/earlycpio.h": `struct:cpio_data`,
		"linux/edac.h":      `enum:hw_event_mc_err_type`,
		"linux/efi.h":       `enum:efi_rts_ids enum:efi_secureboot_mode`,
		"linux/ethtool.h": `enum:ethtool_link_medium enum:ethtool_link_mode_bit_indices
		enum:ethtool_mmsv_event enum:ethtool_module_fw_flash_status
		enum:phy_upstream struct:ethtool_channels`,
		"linux/execmem.h":  `enum:execmem_type`,
		"linux/export.h":   `struct:kernel_symbol`,
		"linux/fdtable.h":  `struct:fdtable struct:files_struct`,
		"linux/file.h":     `struct:fd`,
		"linux/firmware.h": `enum:fw_upload_err`,
		"linux/fs.h": `enum:fs_update_time struct:address_space struct:file
		struct:file_operations struct:file_system_type struct:filename
		struct:iattr struct:inode struct:inode_operations struct:kiocb
		struct:super_block`,
		"linux/fs_context.h":    `enum:fs_context_purpose enum:vfs_get_super_keying struct:fs_context`,
		"linux/fserror.h":       `enum:fserror_type`,
		"linux/ftrace.h":        `enum:ftrace_ops_cmd struct:ftrace_ops`,
		"linux/fuse.h":          `enum:fuse_notify_code`,
		"linux/fwnode.h":        `struct:fwnode_handle`,
		"linux/gpio/consumer.h": `enum:gpiod_flags`,
		"linux/gpio/driver.h":   `struct:gpio_chip`,
		"linux/gpio/machine.h":  `enum:gpio_lookup_flags`,
		"linux/gpu_buddy.h":     `enum:gpu_buddy_free_tree`,
		"linux/hash_info.h":     `enum:hash_algo`,
		"linux/hid.h":           `enum:hid_class_request enum:hid_report_type struct:hid_device`,
		"linux/hrtimer.h":       `enum:hrtimer_mode enum:hrtimer_restart struct:hrtimer`,
		"linux/huge_mm.h": `enum:mthp_stat_item enum:split_type enum:transparent_hugepage_flag
		enum:tva_type`,
		"linux/hw_breakpoint.h":  `enum:bp_type_idx`,
		"linux/hwmon.h":          `enum:hwmon_sensor_types`,
		"linux/hyperv.h":         `enum:vmbus_packet_type`,
		"linux/i2c.h":            `struct:i2c_adapter struct:i2c_client`,
		"linux/idr.h":            `struct:ida struct:idr`,
		"linux/if_vlan.h":        `struct:vlan_type_depth`,
		"linux/in.h":             `struct:in_addr`,
		"linux/in6.h":            `struct:in6_addr`,
		"linux/input.h":          `struct:input_dev`,
		"linux/integrity.h":      `enum:integrity_status`,
		"linux/interrupt.h":      `enum:irqchip_irq_state struct:irqaction struct:tasklet_struct`,
		"linux/io-pgtable.h":     `enum:io_pgtable_fmt`,
		"linux/io_uring_types.h": `struct:io_br_sel struct:io_tw_req struct:io_tw_state`,
		"linux/ioam6_genl.h":     `enum:ioam6_event_type`,
		"linux/iommu.h": `enum:iommu_attr enum:iommu_cap enum:iommu_dev_features
		enum:iommu_page_response_code enum:iommu_resv_type`,
		"linux/iommufd.h":          `enum:iommu_hw_info_type`,
		"linux/ioport.h":           `struct:resource`,
		"linux/ip.h":               `struct:iphdr`,
		"linux/ipv6.h":             `struct:ipv6hdr`,
		"linux/irq.h":              `enum:irq_gc_flags struct:irq_chip struct:irq_data`,
		"linux/irqdesc.h":          `struct:irq_desc`,
		"linux/irqdomain.h":        `enum:irq_domain_bus_token struct:irq_domain`,
		"linux/irqreturn.h":        `enum:irqreturn`,
		"linux/jump_label.h":       `enum:jump_label_type struct:jump_entry struct:static_key`,
		"linux/kernel_read_file.h": `enum:kernel_read_file_id`,
		"linux/kernel_stat.h":      `enum:cpu_usage_stat`,
		"linux/key-type.h":         `struct:key_type`,
		"linux/key.h":              `enum:key_need_perm struct:key`,
		"linux/keyctl.h":           `enum:kernel_pkey_operation`,
		"linux/klist.h":            `struct:klist`,
		"linux/kmsg_dump.h":        `enum:kmsg_dump_reason`,
		"linux/kobject.h":          `enum:kobject_action struct:kobj_type struct:kobject struct:kset`,
		"linux/kobject_ns.h":       `enum:kobj_ns_type`,
		"linux/kref.h":             `struct:kref`,
		"linux/kthread.h":          `struct:kthread_work`,
		"linux/leafops.h":          `enum:softleaf_type`,
		"linux/leds.h":             `enum:cpu_led_event enum:led_brightness enum:led_default_state`,
		"linux/libata.h":           `struct:ata_device struct:ata_port`,
		"linux/libps2.h":           `enum:ps2_disposition`,
		"linux/list_lru.h":         `enum:lru_status`,
		"linux/llist.h":            `struct:llist_head struct:llist_node`,
		"linux/lockdep_types.h":    `struct:lock_class_key`,
		"linux/maple_tree.h":       `enum:maple_type enum:store_type`,
		"linux/memblock.h":         `enum:memblock_flags`,
		"linux/memcontrol.h":       `enum:memcg_memory_event enum:memcg_stat_item struct:mem_cgroup`,
		"linux/memory.h":           `enum:memory_block_state struct:memory_group`,
		"linux/memory_hotplug.h":   `enum:mmop`,
		"linux/mempolicy.h":        `struct:mempolicy`,
		"linux/migrate_mode.h":     `enum:migrate_mode`,
		"linux/misc_cgroup.h":      `enum:misc_res_type`,
		"linux/mm.h": `enum:mf_action_page_type enum:mf_result enum:page_entry_size
		struct:vm_fault`,
		"linux/mm_types.h": `struct:folio struct:mm_struct struct:page struct:vm_area_struct
		struct:vm_userfaultfd_ctx`,
		"linux/mmu_notifier.h": `struct:mmu_notifier_range`,
		"linux/mmzone.h": `enum:kswapd_clear_hopeless_reason enum:lru_list enum:meminit_context
		enum:migratetype enum:node_stat_item enum:numa_stat_item
		enum:vmscan_throttle_state enum:zone_stat_item enum:zone_type
		struct:lruvec struct:pglist_data struct:zone`,
		"linux/module.h":      `enum:mod_mem_type struct:module`,
		"linux/moduleparam.h": `struct:kernel_param`,
		"linux/mount.h":       `struct:mount_attr struct:vfsmount`,
		"linux/mpi.h": `enum:ecc_dialects enum:gcry_mpi_constants enum:gcry_mpi_ec_models
		enum:gcry_mpi_format`,
		"linux/msi.h":        `enum:msi_desc_filter`,
		"linux/msi_api.h":    `struct:msi_map`,
		"linux/mutex.h":      `enum:mutex_trylock_recursive_enum struct:mutex`,
		"linux/net.h":        `enum:sock_shutdown_cmd struct:socket`,
		"linux/net_shaper.h": `enum:net_shaper_scope`,
		"linux/net_tstamp.h": `enum:hwtstamp_provider_qualifier struct:so_timestamping`,
		"linux/netdev.h":     `enum:netdev_napi_threaded enum:netdev_queue_type`,
		"linux/netdevice.h": `enum:bpf_netdev_command enum:bpf_xdp_mode enum:gro_result
		enum:netdev_cmd enum:netdev_offload_xstats_type enum:netdev_tx
		enum:rx_handler_result enum:skb_free_reason enum:tc_setup_type
		enum:xps_map_type struct:napi_struct struct:net_device`,
		"linux/netfilter.h": `struct:nf_hook_state`,
		"linux/netlink.h": `struct:netlink_callback struct:netlink_ext_ack struct:nlattr
		struct:nlmsghdr`,
		"linux/nfs_fs_sb.h":       `struct:nfs_server`,
		"linux/nls.h":             `enum:utf16_endian`,
		"linux/node.h":            `enum:access_coordinate_class`,
		"linux/nodemask.h":        `enum:node_states`,
		"linux/notifier.h":        `struct:notifier_block`,
		"linux/nsproxy.h":         `struct:nsproxy`,
		"linux/of.h":              `struct:device_node struct:of_phandle_args`,
		"linux/oid_registry.h":    `enum:OID`,
		"linux/openat2.h":         `struct:open_how`,
		"linux/packing.h":         `enum:packing_op`,
		"linux/page-flags.h":      `enum:pagetype`,
		"linux/page-isolation.h":  `enum:pb_isolate_mode`,
		"linux/pageblock-flags.h": `enum:pageblock_bits`,
		"linux/path.h":            `struct:path`,
		"linux/pci-tsm.h":         `enum:pci_tsm_req_scope`,
		"linux/pci.h": `enum:pci_bus_speed enum:pci_ers_result enum:pci_fixup_pass
		enum:pci_mmap_state enum:pcie_link_width enum:pcie_reset_state
		struct:pci_bus struct:pci_dev`,
		"linux/percpu_counter.h":          `struct:percpu_counter`,
		"linux/perf_event.h":              `enum:perf_bpf_event_type enum:perf_event_state struct:perf_event`,
		"linux/phy.h":                     `enum:phy_state`,
		"linux/phy/phy.h":                 `enum:phy_media enum:phy_mode union:phy_notify`,
		"linux/pid.h":                     `enum:pid_type struct:pid`,
		"linux/pid_namespace.h":           `struct:pid_namespace`,
		"linux/pinctrl/machine.h":         `enum:pinctrl_map_type`,
		"linux/pinctrl/pinconf-generic.h": `enum:pin_config_param`,
		"linux/platform_device.h":         `struct:platform_device`,
		"linux/platform_profile.h":        `enum:platform_profile_option`,
		"linux/pm.h":                      `enum:dpm_order enum:rpm_status struct:pm_message`,
		"linux/pm_qos.h": `enum:dev_pm_qos_req_type enum:freq_qos_req_type
		enum:pm_qos_flags_status enum:pm_qos_req_action`,
		"linux/poll.h": `struct:poll_table_struct`,
		"linux/power_supply.h": `enum:power_supply_charge_behaviour enum:power_supply_charge_type
		enum:power_supply_property`,
		"linux/profile.h":              `enum:profile_type`,
		"linux/property.h":             `enum:dev_dma_attr enum:dev_prop_type`,
		"linux/psi_types.h":            `enum:psi_aggregators enum:psi_res`,
		"linux/pstore.h":               `enum:pstore_type_id`,
		"linux/ptp_clock.h":            `enum:ptp_pin_function`,
		"linux/pwm.h":                  `enum:pwm_polarity`,
		"linux/quota.h":                `struct:kqid`,
		"linux/range.h":                `struct:range`,
		"linux/rbtree.h":               `struct:rb_node struct:rb_root`,
		"linux/reboot.h":               `enum:hw_protection_action enum:reboot_mode enum:sys_off_mode`,
		"linux/reciprocal_div.h":       `struct:reciprocal_value struct:reciprocal_value_adv`,
		"linux/refcount.h":             `enum:refcount_saturation_type`,
		"linux/regmap.h":               `enum:regmap_endian struct:reg_field`,
		"linux/regset.h":               `struct:membuf`,
		"linux/regulator/driver.h":     `struct:regulator_dev`,
		"linux/resctrl.h":              `enum:resctrl_conf_type enum:resctrl_scope`,
		"linux/reset.h":                `enum:reset_control_flags`,
		"linux/resource.h":             `struct:rlimit struct:rusage`,
		"linux/rhashtable-types.h":     `struct:rhashtable_params`,
		"linux/ring_buffer.h":          `struct:ring_buffer_event`,
		"linux/rmap.h":                 `enum:ttu_flags`,
		"linux/rtc.h":                  `struct:rtc_time`,
		"linux/rtnetlink.h":            `enum:rt_del_reason`,
		"linux/rwsem.h":                `struct:rw_semaphore`,
		"linux/scatterlist.h":          `struct:scatterlist struct:sg_table`,
		"linux/sched.h":                `enum:uclamp_id struct:task_struct`,
		"linux/sched/coredump.h":       `enum:task_dumpable`,
		"linux/sched/idle.h":           `enum:cpu_idle_type`,
		"linux/sched/isolation.h":      `enum:hk_flags enum:hk_type`,
		"linux/sched/numa_balancing.h": `enum:numa_vmaskip_reason`,
		"linux/security.h": `enum:kernel_load_data_id enum:lockdown_reason enum:lsm_event
		enum:lsm_integrity_type`,
		"linux/semaphore.h":         `struct:semaphore`,
		"linux/seq_file.h":          `struct:seq_file struct:seq_operations`,
		"linux/serdev.h":            `enum:serdev_parity`,
		"linux/serial_core.h":       `enum:uart_iotype`,
		"linux/shmem_fs.h":          `enum:sgp_type`,
		"linux/signal.h":            `enum:siginfo_layout`,
		"linux/skbuff.h":            `enum:skb_ext_id struct:sk_buff struct:sk_buff_head`,
		"linux/slab.h":              `enum:kmalloc_cache_type`,
		"linux/socket.h":            `struct:msghdr struct:sockaddr`,
		"linux/spi/offload/types.h": `enum:spi_offload_trigger_type`,
		"linux/spi/spi.h":           `struct:spi_device`,
		"linux/spinlock_types.h":    `struct:spinlock`,
		"linux/stat.h":              `struct:kstat`,
		"linux/statfs.h":            `struct:kstatfs`,
		"linux/string_helpers.h":    `enum:string_size_units`,
		"linux/sunrpc/sched.h":      `struct:rpc_task`,
		"linux/sunrpc/svc.h":        `struct:svc_rqst`,
		"linux/suspend.h":           `enum:suspend_stat_step`,
		"linux/swap.h":              `enum:lru_cache_drained struct:swap_info_struct`,
		"linux/swiotlb.h":           `enum:dma_sync_target enum:swiotlb_force`,
		"linux/sysctl.h":            `struct:ctl_table`,
		"linux/sysfs.h":             `struct:attribute struct:attribute_group struct:bin_attribute`,
		"linux/task_work.h":         `enum:task_work_notify_mode`,
		"linux/tcp.h":               `struct:tcphdr`,
		"linux/thermal.h": `enum:thermal_device_mode enum:thermal_genl_event
		enum:thermal_notify_event enum:thermal_trend enum:thermal_trip_type`,
		"linux/tick.h": `enum:tick_broadcast_mode enum:tick_broadcast_state
		enum:tick_dep_bits`,
		"linux/time.h":        `struct:timespec struct:timezone`,
		"linux/time64.h":      `struct:timespec64`,
		"linux/time_types.h":  `struct:__kernel_old_timeval`,
		"linux/timekeeping.h": `enum:tk_offsets struct:system_counterval_t`,
		"linux/timer.h":       `struct:timer_list`,
		"linux/tnum.h":        `struct:tnum`,
		"linux/trace_events.h": `enum:dynevent_type enum:event_trigger_type enum:print_line_t
		enum:trace_reg struct:trace_event_call`,
		"linux/tty.h": `struct:tty_port struct:tty_struct`,
		"linux/types.h": `struct:callback_head struct:hlist_head struct:hlist_node
		struct:list_head`,
		"linux/uio.h":     `struct:iov_iter`,
		"linux/umh.h":     `enum:umh_disable_depth`,
		"linux/unicode.h": `enum:utf8_normalization`,
		"linux/uprobes.h": `enum:hprobe_state enum:rp_check enum:uprobe_filter_ctx`,
		"linux/usb.h":     `struct:usb_device struct:usb_interface`,
		"linux/user_namespace.h": `enum:rlimit_type enum:ucount_type struct:ucounts
		struct:user_namespace`,
		"linux/userfaultfd_k.h": `enum:mcopy_atomic_mode`,
		"linux/utsname.h":       `enum:uts_proc`,
		"linux/verification.h":  `enum:key_being_used_for`,
		"linux/vesa.h":          `enum:vesa_blank_mode`,
		"linux/vga_switcheroo.h": `enum:vga_switcheroo_client_id enum:vga_switcheroo_handler_flags_t
		enum:vga_switcheroo_state`,
		"linux/virtio.h":        `union:virtio_map`,
		"linux/vm_event_item.h": `enum:vm_event_item`,
		"linux/vmalloc.h":       `struct:vm_struct`,
		"linux/vmcore.h":        `enum:hwerr_error_type`,
		"linux/wait.h":          `struct:wait_queue_entry struct:wait_queue_head`,
		"linux/workqueue.h":     `struct:delayed_work struct:work_struct`,
		"linux/writeback.h":     `enum:writeback_sync_modes struct:writeback_control`,
		"linux/xarray.h":        `struct:xa_limit struct:xarray`,
		"linux/xz.h":            `enum:xz_mode enum:xz_ret`,
		"linux/zpool.h":         `enum:zpool_mapmode`,
		"linux/zsmalloc.h":      `enum:zs_mapmode`,
		"media/v4l2-subdev.h":   `struct:v4l2_subdev`,
		"net/devlink.h": `enum:devlink_health_reporter_state enum:devlink_info_version_type
		enum:devlink_param_type union:devlink_param_value`,
		"net/dropreason-qdisc.h":       `enum:qdisc_drop_reason`,
		"net/dropreason.h":             `enum:skb_drop_reason_subsys`,
		"net/dst.h":                    `struct:dst_entry`,
		"net/dst_metadata.h":           `enum:metadata_type`,
		"net/fib_notifier.h":           `enum:fib_event_type`,
		"net/flow.h":                   `struct:flowi struct:flowi4 struct:flowi6`,
		"net/flow_offload.h":           `enum:flow_block_binder_type`,
		"net/genetlink.h":              `struct:genl_info`,
		"net/l3mdev.h":                 `enum:l3mdev_type`,
		"net/neighbour.h":              `struct:neighbour`,
		"net/net_namespace.h":          `struct:net`,
		"net/netdev_rx_queue.h":        `enum:netif_lease_dir`,
		"net/netfilter/nf_conntrack.h": `struct:nf_conn`,
		"net/netfilter/nf_log.h":       `enum:nf_log_type`,
		"net/nexthop.h":                `enum:nexthop_event_type`,
		"net/pkt_cls.h":                `enum:tc_mq_command`,
		"net/rstreason.h":              `enum:sk_rst_reason`,
		"net/secure_seq.h":             `union:tcp_seq_and_ts_off`,
		"net/sock.h":                   `enum:sock_flags struct:sock`,
		"net/switchdev.h":              `enum:switchdev_notifier_type enum:switchdev_obj_id`,
		"net/tcp.h": `enum:tcp_ca_event enum:tcp_chrono enum:tcp_queue
		enum:tcp_synack_type enum:tcp_tw_status`,
		"net/tcp_ao.h":               `enum:tcp_ao_algo_id`,
		"net/xdp.h":                  `enum:xdp_mem_type enum:xdp_rss_hash_type`,
		"net/xfrm.h":                 `struct:xfrm_policy struct:xfrm_state`,
		"net/xsk_buff_pool.h":        `struct:xdp_desc_ctx`,
		"scsi/scsi_cmnd.h":           `struct:scsi_cmnd`,
		"scsi/scsi_device.h":         `struct:scsi_device`,
		"scsi/scsi_host.h":           `struct:Scsi_Host`,
		"sound/pcm.h":                `struct:snd_pcm_substream`,
		"sound/soc-dai.h":            `struct:snd_soc_dai`,
		"xen/interface/io/xenbus.h":  `enum:xenbus_state`,
		"xen/interface/io/xs_wire.h": `enum:xsd_sockmsg_type`,
		"xen/xenbus.h":               `struct:xenbus_transaction`,
	})
})

// perCPUHeaders are the headers of per-CPU variables that a header declares in another section than
// DECLARE_PER_CPU does (DECLARE_PER_CPU_READ_MOSTLY and others): to declare them again in another
// one is an error.
var perCPUHeaders = sync.OnceValue(func() map[string]string {
	return headersOf(map[string]string{
		"asm/rqspinlock.h":    `rqspinlock_held_locks`,
		"asm/current.h":       `const_current_task const_pcpu_hot current_task pcpu_hot`,
		"asm/desc.h":          `gdt_page`,
		"asm/espfix.h":        `espfix_stack espfix_waddr`,
		"asm/hardirq.h":       `__softirq_pending posted_msi_pi_desc`,
		"asm/intel_ds.h":      `cpu_debug_store`,
		"asm/nospec-branch.h": `__x86_call_depth`,
		"asm/percpu.h":        `this_cpu_off`,
		"asm/preempt.h":       `__preempt_count`,
		"asm/processor.h": `const_cpu_current_top_of_stack cpu_current_top_of_stack cpu_info
		cpu_tss_rw fixed_percpu_data hardirq_stack_inuse hardirq_stack_ptr
		softirq_stack_ptr`,
		"asm/smp.h": `cpu_core_map cpu_die_map cpu_l2c_id cpu_l2c_shared_map cpu_llc_id
		cpu_llc_shared_map cpu_number cpu_sibling_map`,
		"asm/stackprotector.h": `__stack_chk_guard`,
		"asm/tlbflush.h":       `cpu_tlbstate cpu_tlbstate_shared`,
		"asm/topology.h":       `sched_core_priority`,
		"linux/hardirq.h":      `irq_stat`,
		"linux/netdevice.h":    `softnet_data`,
	})
})

// macros are the functions of these kernels of whose names a header makes a macro with parameters.
var macros = sync.OnceValue(func() map[string]bool {
	return wordSet(`KSTK_ESP __alloc_pages __alloc_pages_bulk __alloc_percpu __alloc_percpu_gfp
	__alloc_reserved_percpu __folio_alloc __get_free_pages __loadsegment_ds
	__loadsegment_es __memset __mutex_init __p4d __pgd __pm_pr_dbg __pmd
	__printk_cpu_sync_put __printk_cpu_sync_try_get __printk_cpu_sync_wait __pte __pud
	__vcalloc __vmalloc __vmalloc_array __vmalloc_node __vmalloc_node_range
	_raw_read_lock _raw_read_lock_bh _raw_read_lock_irq _raw_read_lock_irqsave
	_raw_read_trylock _raw_read_unlock _raw_read_unlock_bh _raw_read_unlock_irq
	_raw_read_unlock_irqrestore _raw_spin_lock _raw_spin_lock_bh _raw_spin_lock_irq
	_raw_spin_lock_irq_disable _raw_spin_lock_irqsave _raw_spin_trylock
	_raw_spin_trylock_bh _raw_spin_unlock _raw_spin_unlock_bh _raw_spin_unlock_irq
	_raw_spin_unlock_irq_enable _raw_spin_unlock_irqrestore _raw_write_lock
	_raw_write_lock_bh _raw_write_lock_irq _raw_write_lock_irqsave
	_raw_write_lock_nested _raw_write_trylock _raw_write_unlock _raw_write_unlock_bh
	_raw_write_unlock_irq _raw_write_unlock_irqrestore acct_collect acct_exit_ns
	acct_process acomp_request_alloc acpi_bus_register_driver acpi_dev_hid_uid_match
	acpi_os_set_prepare_sleep alloc_contig_pages alloc_contig_range alloc_pages
	alloc_pages_bulk_array_mempolicy alloc_pages_exact alloc_pages_exact_nid
	alloc_pages_mpol alloc_pages_vma alloc_workqueue alloc_workqueue_attrs
	amd_gart_present amd_nb_has_feature amd_nb_num anon_vma_init arch_align_stack
	arch_efi_call_virt_setup arch_efi_call_virt_teardown arch_randomize_brk
	atomic_dec_and_lock atomic_dec_and_raw_lock bitmap_from_arr32 bitmap_to_arr32
	blk_add_driver_data blk_trace_ioctl blk_trace_remove blk_trace_setup
	blk_trace_shutdown blk_trace_startstop bpf_map_alloc_percpu bpf_map_kmalloc_node
	bpf_map_kmalloc_nolock bpf_map_kvcalloc bpf_map_kzalloc call_hid_bpf_rdesc_fixup
	class_create class_register clk_hw_register_fixed_factor
	clk_hw_register_fixed_factor_parent_hw console_map_init conv_8bit_to_uni
	conv_uni_to_8bit conv_uni_to_pc copy_page cpu_online crc32 crypto_inst_setname
	debugfs_create_file dev_fwnode dev_printk dev_proc_init device_pm_lock
	device_pm_unlock devm_add_action devm_clk_hw_register_fixed_factor
	devm_clk_hw_register_fixed_factor_parent_hw devm_pwmchip_add devres_alloc_node
	do_softirq_own_stack filemap_alloc_folio find_first_bit flush_workqueue folio_alloc
	fortify_panic free_folio_and_swap_cache free_page_and_swap_cache free_pages
	free_pages_and_swap_cache free_swap_and_cache ftrace_free_filter
	ftrace_ops_set_global_filter ftrace_regex_open ftrace_set_early_filter
	ftrace_set_filter ftrace_set_filter_ip ftrace_set_filter_ips ftrace_set_notrace
	get_dev_from_fwnode get_file_rcu get_zeroed_page hard_smp_processor_id hash_add
	hpet_readl in_lock_functions init_opal_dev init_srcu_struct init_srcu_struct_fast
	init_srcu_struct_fast_updown inverse_translate iomap_swapfile_activate
	irqentry_exit_cond_resched kern_addr_valid kernel_termios_to_user_termios
	kernel_termios_to_user_termios_1 key_free_user_ns key_fsgid_changed
	key_fsuid_changed key_init key_invalidate key_lookup key_put key_remove_domain
	key_revoke key_validate kmalloc_array kmem_cache_alloc kmem_cache_alloc_bulk
	kmem_cache_alloc_lru kmem_cache_alloc_node kmem_cache_create kmemdup
	kprobe_busy_begin kprobe_busy_end kprobe_flush_task krealloc krealloc_noprof
	kthread_create_worker kthread_exit kvm_async_pf_task_wait_schedule
	kvm_async_pf_task_wake kvmalloc_node kvrealloc load_idt map_write memcpy memmove
	mempool_alloc mempool_create mempool_create_node mempool_init memset
	mmu_notifier_range_update_to_read_only mtrr_ap_init mtrr_aps_init mtrr_bp_init
	mtrr_bp_restore mtrr_disable mtrr_enable mtrr_generic_set_state
	mtrr_save_fixed_ranges mtrr_save_state mutex_is_locked mutex_lock
	mutex_lock_interruptible mutex_lock_io mutex_lock_killable mutex_trylock
	nmi_uaccess_okay no_pci_devices node_page_state node_page_state_monotonic
	node_page_state_pages node_set_online numa_map_to_online_node p4d_clear_bad
	p4d_pgtable p4d_val pci_dev_present pci_dev_put pcibios_assign_all_busses
	perf_arch_guest_misc_flags perf_arch_instruction_pointer perf_arch_misc_flags
	perf_instruction_pointer perf_misc_flags pfn_to_online_page pfn_valid pgd_val
	pmd_leaf pmd_val printk printk_deferred proc_create proc_create_data
	proc_create_net_data proc_create_net_data_write proc_create_net_single
	proc_create_net_single_write proc_create_seq_private proc_create_single_data
	profile_handoff_task profile_munmap profile_task_exit pte_alloc_one
	pte_offset_map_lock pte_val pud_clear_bad pud_pgtable pud_val pwmchip_add
	random_get_entropy rcu_is_idle_cpu rcu_note_context_switch rcu_read_unlock_strict
	register_blkdev register_ftrace_function register_ftrace_graph register_net_sysctl
	register_sysctl remove_proc_entry rethook_flush_task reuse_swap_page rhashtable_init
	rhashtable_init_noprof rhltable_init rhltable_init_noprof rt_mutex_adjust_pi
	rt_mutex_lock sched_exec set_cpu_possible set_cpu_present set_mtrr_aps_delayed_init
	set_p4d set_personality_64bit set_pgdat_percpu_threshold set_pmd set_pte set_pud
	set_translate shmem_mcopy_atomic_pte shmem_mfill_atomic_pte shmem_mfill_zeropage_pte
	show_type si_swapinfo smp_call_function smp_call_function_many smp_prepare_boot_cpu
	softleaf_from_pte softleaf_to_pfn sparse_index_init sparse_init
	sparse_vmemmap_init_nid_early static_key_disable_cpuslocked
	static_key_enable_cpuslocked static_key_slow_dec_cpuslocked static_key_slow_inc
	static_key_slow_inc_cpuslocked strlen strscpy strscpy_pad subsection_map_init
	sum_zone_node_page_state swapcache_prepare symbol_put_addr tasklet_unlock
	tasklet_unlock_wait tboot_enabled tboot_force_iommu tboot_get_dmar_table tboot_probe
	tboot_shutdown tboot_sleep tcf_em_tree_destroy tcf_em_tree_dump tcf_em_tree_validate
	tlb_remove_table total_swapcache_pages try_to_unmap unregister_ftrace_function
	unregister_ftrace_graph uprobe_get_trap_addr user_termios_to_kernel_termios
	user_termios_to_kernel_termios_1 vcalloc vga_put vma_alloc_folio
	vma_alloc_folio_noprof vmalloc vmalloc_32 vmalloc_32_user vmalloc_array vmalloc_huge
	vmalloc_node vmalloc_user vrealloc_noprof vzalloc vzalloc_node wbinvd_on_cpu
	work_on_cpu work_on_cpu_safe x86_task_fpu`)
})

// headersOf turns lists of names by header into headers by name. A blank in a name is a colon
// here.
func headersOf(lists map[string]string) map[string]string {
	all := map[string]string{}
	for header, list := range lists {
		for _, name := range strings.Fields(list) {
			all[strings.Replace(name, ":", " ", 1)] = header
		}
	}
	return all
}

// wordSet returns the words of a text.
func wordSet(text string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(text) {
		all[word] = true
	}
	return all
}
