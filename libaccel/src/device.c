// SPDX-License-Identifier: MIT
/*
 * Devices: finding and opening them, what they are, and the text of their last error.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "internal.h"

#define ACCEL_DIR	"/dev/accel"
#define ACCEL_DRIVER	"quill"
#define ACCEL_MAX_NODES	256

/* ---- Errors and log ---- */

static void accel_log_line(struct accel_device *dev, int level, const char *text)
{
	if (level <= dev->log_level)
		fprintf(stderr, "libaccel: %s: %s\n", dev->path, text);
}

/* Keep the text as the device's last error, and return @err. */
int accel_error(struct accel_device *dev, int err, const char *fmt, ...)
{
	char text[ACCEL_ERROR_MAX];
	va_list args;

	/* Formatted apart: an argument may be the old text. */
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	pthread_mutex_lock(&dev->lock);
	memcpy(dev->error, text, sizeof(text));
	pthread_mutex_unlock(&dev->lock);
	accel_log_line(dev, ACCEL_LOG_ERROR, text);
	return err;
}

void accel_log(struct accel_device *dev, int level, const char *fmt, ...)
{
	char text[ACCEL_ERROR_MAX];
	va_list args;

	if (level > dev->log_level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	accel_log_line(dev, level, text);
}

const char *accel_last_error(struct accel_device *dev)
{
	return dev->error;
}

/* A failed open has no device to keep its text: it goes to the caller's buffer. */
static int accel_open_error(char *text, size_t size, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int accel_open_error(char *text, size_t size, int err, const char *fmt, ...)
{
	va_list args;

	if (text && size) {
		va_start(args, fmt);
		vsnprintf(text, size, fmt, args);
		va_end(args);
	}
	return err;
}

int accel_ioctl(struct accel_device *dev, unsigned long request, void *arg)
{
	return drmIoctl(dev->fd, request, arg) ? -errno : 0;
}

/* ---- Nodes ---- */

static int accel_compare_numbers(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

/* The numbers of all accel nodes, of any driver, sorted. Returns how many, or -errno. */
static int accel_find_nodes(unsigned int *numbers)
{
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;
	char end;

	dir = opendir(ACCEL_DIR);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;

	while (n < ACCEL_MAX_NODES && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "accel%u%c", &numbers[n], &end) == 1)
			n++;
	closedir(dir);
	qsort(numbers, n, sizeof(*numbers), accel_compare_numbers);
	return (int)n;
}

/*
 * The node, opened, if its driver is ours. Else -errno: -ENODEV for another driver, whose name goes
 * to @name.
 */
static int accel_open_node(const char *path, char *name, size_t name_size)
{
	drmVersionPtr version;
	bool ours;
	int fd;

	snprintf(name, name_size, "none");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	version = drmGetVersion(fd);
	ours = version && !strcmp(version->name, ACCEL_DRIVER);
	if (version)
		snprintf(name, name_size, "%s", version->name);
	drmFreeVersion(version);
	if (ours)
		return fd;
	close(fd);
	return -ENODEV;
}

int accel_device_list(char (*paths)[ACCEL_PATH_MAX], unsigned int max)
{
	unsigned int numbers[ACCEL_MAX_NODES];
	char path[ACCEL_PATH_MAX], name[32];
	int i, fd, nodes, found = 0;

	nodes = accel_find_nodes(numbers);
	for (i = 0; i < nodes; i++) {
		snprintf(path, sizeof(path), ACCEL_DIR "/accel%u", numbers[i]);
		fd = accel_open_node(path, name, sizeof(name));
		if (fd < 0)
			continue;
		close(fd);
		if ((unsigned int)found < max)
			memcpy(paths[found], path, sizeof(path));
		found++;
	}
	return nodes < 0 ? nodes : found;
}

/* Open the first node of ours; @path is set to it. */
static int accel_open_first(char *path, char *err, size_t err_size)
{
	unsigned int numbers[ACCEL_MAX_NODES];
	int i, fd, nodes, denied = 0;
	char name[32];

	nodes = accel_find_nodes(numbers);
	if (nodes < 0)
		return accel_open_error(err, err_size, nodes, "cannot read " ACCEL_DIR ": %s",
					strerror(-nodes));

	for (i = 0; i < nodes; i++) {
		snprintf(path, ACCEL_PATH_MAX, ACCEL_DIR "/accel%u", numbers[i]);
		fd = accel_open_node(path, name, sizeof(name));
		if (fd >= 0)
			return fd;
		denied += fd == -EACCES || fd == -EPERM;
	}
	if (denied)
		return accel_open_error(err, err_size, -EACCES,
					"no permission to open %d of %d nodes in " ACCEL_DIR
					"; required: read and write access (group render, as a rule)",
					denied, nodes);
	return accel_open_error(err, err_size, -ENODEV,
				"%d nodes in " ACCEL_DIR ", none of driver " ACCEL_DRIVER
				"; required: a Quill device with its module loaded (modprobe quill)",
				nodes);
}

static int accel_open_path(const char *path, char *err, size_t err_size)
{
	char name[32];
	int fd;

	if (!strncmp(path, "emu:", 4))
		return accel_open_error(err, err_size, -ENOTSUP,
					"\"%s\": the device in this process is not supported yet; "
					"required: a node such as " ACCEL_DIR "/accel0, or NULL", path);
	if (strlen(path) >= ACCEL_PATH_MAX)
		return accel_open_error(err, err_size, -ENAMETOOLONG,
					"the path has %zu characters; required: at most %d",
					strlen(path), ACCEL_PATH_MAX - 1);

	fd = accel_open_node(path, name, sizeof(name));
	if (fd == -ENODEV)
		return accel_open_error(err, err_size, fd, "%s: the driver is %s; required: "
					ACCEL_DRIVER, path, name);
	if (fd < 0)
		return accel_open_error(err, err_size, fd, "cannot open %s: %s", path,
					strerror(-fd));
	return fd;
}

/* ---- The device ---- */

static int accel_query(struct accel_device *dev, struct drm_quill_dev_info *info)
{
	struct drm_quill_dev_query query = {
		.type = DRM_QUILL_DEV_QUERY_INFO,
		.size = sizeof(*info),
		.ptr = (uintptr_t)info,
	};

	memset(info, 0, sizeof(*info));
	return accel_ioctl(dev, DRM_IOCTL_QUILL_DEV_QUERY, &query);
}

static int accel_device_init(struct accel_device *dev, char *err, size_t err_size)
{
	const char *level = getenv("ACCEL_LOG_LEVEL");
	struct drm_quill_dev_info info;
	int ret;

	dev->log_level = level ? atoi(level) : ACCEL_LOG_NONE;
	ret = accel_query(dev, &info);
	if (ret)
		return accel_open_error(err, err_size, ret, "%s: cannot query the device: %s",
					dev->path, strerror(-ret));

	if (!info.page_size || info.va_start >= info.va_end)
		return accel_open_error(err, err_size, -EPROTO,
					"%s: page size %u, addresses 0x%llx..0x%llx; required: a "
					"page size and a range that are not empty", dev->path,
					info.page_size, (unsigned long long)info.va_start,
					(unsigned long long)info.va_end);

	dev->va_start = info.va_start;
	dev->va_end = info.va_end;
	dev->page_size = info.page_size;
	dev->max_stream_size = info.max_stream_size;
	dev->max_timeout_ms = info.max_timeout_ms;
	return 0;
}

int accel_device_open(const char *path, struct accel_device **out, char *err, size_t err_size)
{
	struct accel_device *dev;
	int ret;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return accel_open_error(err, err_size, -ENOMEM, "no memory for a device handle");

	atomic_init(&dev->refs, 1);
	dev->fd = path ? accel_open_path(path, err, err_size) :
			 accel_open_first(dev->path, err, err_size);
	if (dev->fd < 0) {
		ret = dev->fd;
		goto err_free;
	}
	if (path)
		strcpy(dev->path, path);

	ret = accel_device_init(dev, err, err_size);
	if (ret)
		goto err_close;

	pthread_mutex_init(&dev->bo_lock, NULL);
	pthread_mutex_init(&dev->lock, NULL);
	accel_log(dev, ACCEL_LOG_OBJECT, "opened");
	*out = dev;
	return 0;

err_close:
	close(dev->fd);
err_free:
	free(dev);
	return ret;
}

struct accel_device *accel_device_get(struct accel_device *dev)
{
	atomic_fetch_add(&dev->refs, 1);
	return dev;
}

void accel_device_close(struct accel_device *dev)
{
	if (!dev || atomic_fetch_sub(&dev->refs, 1) != 1)
		return;
	accel_log(dev, ACCEL_LOG_OBJECT, "closed");
	close(dev->fd);
	pthread_mutex_destroy(&dev->bo_lock);
	pthread_mutex_destroy(&dev->lock);
	free(dev);
}

int accel_device_fd(struct accel_device *dev)
{
	return dev->fd;
}

static void accel_info_from_drm(struct accel_device_info *info,
				const struct drm_quill_dev_info *drm)
{
	info->hw_major = drm->hw_version >> 16;
	info->hw_minor = drm->hw_version & 0xffff;
	info->fw_major = drm->fw_version >> 16;
	info->fw_minor = drm->fw_version & 0xffff;
	info->features = drm->features;
	info->mem_size = drm->mem_size;
	info->mem_free = drm->mem_free;
	info->va_start = drm->va_start;
	info->va_end = drm->va_end;
	info->cores = drm->cores;
	info->hw_queues = drm->hw_queues;
	info->clock_khz = drm->clock_khz;
	info->sram_size = drm->sram_size;
	info->page_size = drm->page_size;
	info->max_queues = drm->max_queues;
	info->max_vms = drm->max_vms;
	info->reset_count = drm->reset_count;
	info->max_timeout_ms = drm->max_timeout_ms;
	info->default_timeout_ms = drm->default_timeout_ms;
	info->max_stream_size = drm->max_stream_size;
}

int accel_device_info(struct accel_device *dev, struct accel_device_info *info)
{
	struct drm_quill_dev_info drm;
	drmVersionPtr version;
	int ret;

	ret = accel_query(dev, &drm);
	if (ret)
		return accel_error(dev, ret, "cannot query the device: %s", strerror(-ret));
	version = drmGetVersion(dev->fd);
	if (!version)
		return accel_error(dev, -ENODEV, "the driver does not tell its version any more: "
				   "is the device gone?");

	memset(info, 0, sizeof(*info));
	memcpy(info->path, dev->path, sizeof(info->path));
	snprintf(info->driver, sizeof(info->driver), "%s", version->name);
	info->driver_major = (uint32_t)version->version_major;
	info->driver_minor = (uint32_t)version->version_minor;
	drmFreeVersion(version);
	accel_info_from_drm(info, &drm);
	return 0;
}
