// SPDX-License-Identifier: GPL-2.0-or-later
/* twin.c - functions of one name, for a kernel that DWARF describes */
#include "types.h"

extern long use_of_twin(struct device *dev);

#ifdef SECOND
__attribute__((noipa)) static long twin(struct seq_file *m)
{
	return m->size;
}
long use_of_twin(struct device *dev)
{
	return twin((struct seq_file *)dev);
}
#else
extern long other_use_of_twin(struct device *dev);
__attribute__((noipa)) static int twin(struct device *dev, int n)
{
	return dev->flags + n;
}
long other_use_of_twin(struct device *dev)
{
	return twin(dev, dev->state);
}
#endif
