#include "tests/bench/corpus.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/json.h"

enum { CORPUS_MAX_BYTES = 1 << 30 };

static void write_metadata(struct buf *out, const char *kind, size_t namespace, size_t number)
{
    buf_fmt(
        out,
        "\"metadata\":{\"name\":\"%s-%zu\",\"namespace\":\"team-%02zu\",\"uid\":\"%08zx-1c2d-4e5f-8a9b-%"
        "012zx\","
        "\"resourceVersion\":\"%zu\",\"generation\":1,\"creationTimestamp\":\"2026-01-02T03:04:05Z\","
        "\"labels\":{\"app\":\"app-%zu\",\"app.kubernetes.io/part-of\":\"platform\",\"tier\":\"backend\"},"
        "\"annotations\":{\"example.com/owner\":\"team-%02zu@example.com\"},"
        "\"managedFields\":[{\"manager\":\"kubectl\",\"operation\":\"Apply\",\"apiVersion\":\"v1\","
        "\"time\":\"2026-01-02T03:04:05Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:"
        "labels\":"
        "{\"f:app\":{},\"f:tier\":{}}},\"f:spec\":{\"f:replicas\":{},\"f:selector\":{},\"f:template\":{\"f:"
        "spec\":"
        "{\"f:containers\":{\"k:{\\\"name\\\":\\\"main\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{}}}}}}}}]"
        "}",
        kind, number, namespace, number, number, 1000 + number, number % 97, namespace);
}

static void write_pod_spec(struct buf *out, size_t number)
{
    buf_fmt(
        out,
        "\"spec\":{\"serviceAccountName\":\"app-%zu\",\"restartPolicy\":\"Always\",\"dnsPolicy\":"
        "\"ClusterFirst\","
        "\"terminationGracePeriodSeconds\":30,\"schedulerName\":\"default-scheduler\",\"securityContext\":{},"
        "\"containers\":[{\"name\":\"main\",\"image\":\"registry.example.com/app-%zu:1.%zu.0\","
        "\"imagePullPolicy\":\"IfNotPresent\",\"terminationMessagePath\":\"/dev/termination-log\","
        "\"env\":[{\"name\":\"LOG_LEVEL\",\"value\":\"info\"},{\"name\":\"PASSWORD\",\"valueFrom\":{"
        "\"secretKeyRef\":"
        "{\"name\":\"app\",\"key\":\"password\"}}}],\"ports\":[{\"containerPort\":8080,\"protocol\":\"TCP\"}]"
        ","
        "\"resources\":{\"limits\":{\"cpu\":\"500m\",\"memory\":\"256Mi\"},\"requests\":{\"cpu\":\"100m\","
        "\"memory\":\"128Mi\"}},\"readinessProbe\":{\"httpGet\":{\"path\":\"/"
        "ready\",\"port\":8080,\"scheme\":"
        "\"HTTP\"},\"timeoutSeconds\":1,\"periodSeconds\":10,\"successThreshold\":1,\"failureThreshold\":3}}]"
        "}",
        number % 97, number % 97, number % 7);
}

static void write_deployment(struct buf *out, size_t namespace, size_t number)
{
    buf_text(out, "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",");
    write_metadata(out, "web", namespace, number);
    buf_fmt(
        out,
        ",\"spec\":{\"replicas\":2,\"revisionHistoryLimit\":10,\"progressDeadlineSeconds\":600,\"selector\":"
        "{\"matchLabels\":{\"app\":\"web-%zu\"}},\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":"
        "{\"maxSurge\":\"25%%\",\"maxUnavailable\":\"25%%\"}},\"template\":{\"metadata\":{"
        "\"creationTimestamp\":null,"
        "\"labels\":{\"app\":\"web-%zu\"}},",
        number, number);
    write_pod_spec(out, number);
    buf_text(out, "}},\"status\":{\"replicas\":2,\"readyReplicas\":2,\"observedGeneration\":1}}");
}

static void write_child_pod(struct buf *out, size_t namespace, size_t number)
{
    buf_text(out, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",");
    write_metadata(out, "pod", namespace, number);
    buf_char(out, ',');
    write_pod_spec(out, number);
    buf_text(out, ",\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\",\"qosClass\":\"Burstable\"}}");
}

static void write_service(struct buf *out, size_t namespace, size_t number)
{
    buf_text(out, "{\"apiVersion\":\"v1\",\"kind\":\"Service\",");
    write_metadata(out, "svc", namespace, number);
    buf_fmt(out,
            ",\"spec\":{\"clusterIP\":\"10.96.%zu.%zu\",\"clusterIPs\":[\"10.96.%zu.%zu\"],\"type\":"
            "\"ClusterIP\","
            "\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\",\"sessionAffinity\":\"None\","
            "\"selector\":"
            "{\"app\":\"web-%zu\"},\"ports\":[{\"port\":80,\"targetPort\":8080,\"protocol\":\"TCP\"}]},"
            "\"status\":{\"loadBalancer\":{}}}",
            number / 256 % 256, number % 256, number / 256 % 256, number % 256, number);
}

static void write_config_map(struct buf *out, size_t namespace, size_t number)
{
    buf_text(out, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",");
    write_metadata(out, "config", namespace, number);
    buf_text(
        out,
        ",\"data\":{\"application.yaml\":\"server:\\n  port: 8080\\n  threads: 16\\n\",\"feature\":\"on\","
        "\"notes\":\"plain text with a \\\"quote\\\" and a\\ttab\"}}");
}

typedef void (*write_fn)(struct buf *out, size_t namespace, size_t number);

static const write_fn writers[] = {write_deployment, write_child_pod, write_child_pod, write_service,
                                   write_config_map};

/* Of `kinds` in turn. */
static struct str list_of(struct arena *arena, const write_fn *write, size_t kinds, size_t namespaces,
                          size_t objects)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CORPUS_MAX_BYTES);
    buf_text(&out, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
    for (size_t i = 0; i < objects; i++) {
        if (i > 0)
            buf_char(&out, ',');
        write[i % kinds](&out, i % namespaces, i);
    }
    buf_text(&out, "]}");
    return str_dup(arena, buf_view(&out));
}

struct str corpus_json(struct arena *arena, size_t namespaces, size_t objects)
{
    return list_of(arena, writers, COUNT_OF(writers), namespaces, objects);
}

struct str corpus_config_maps(struct arena *arena, size_t namespaces, size_t objects)
{
    return list_of(arena, (const write_fn[]){write_config_map}, 1, namespaces, objects);
}

void corpus_fill(struct bundle *bundle, size_t namespaces, size_t objects)
{
    const struct value *list;
    struct err err;
    if (!json_parse(bundle->arena, corpus_json(bundle->arena, namespaces, objects), NULL, &list, &err))
        abort();
    VALUE_EACH(item, value_key(list, "items")) {
        struct resource resource;
        if (!resource_from(item, STR("corpus"), &resource, &err))
            abort();
        bundle_add(bundle, &resource);
    }
    bundle_sort(bundle);
}

static void put(struct stash *stash, struct arena *scratch, struct str json)
{
    const struct value *object;
    struct resource resource;
    struct err err;
    if (!json_parse(scratch, json, NULL, &object, &err) ||
        !resource_from(object, STR("corpus"), &resource, &err) ||
        !stash_put_text(stash, &resource, json, &err))
        abort();
}

struct stash *corpus_stash(struct arena *arena, size_t namespaces, size_t objects)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct buf out CLEANUP(buf_done);
    struct stash *stash;
    struct err err;
    if (!stash_new(arena, NULL, &stash, &err))
        abort();
    buf_init(&out, CORPUS_MAX_BYTES);
    for (size_t i = 0; i < objects; i++) {
        arena_reset(scratch);
        buf_clear(&out);
        writers[i % COUNT_OF(writers)](&out, i % namespaces, i);
        put(stash, scratch, buf_view(&out));
    }
    stash_about(stash)->types = *resource_builtin_types();
    stash_about(stash)->complete = true;
    if (!stash_finish(stash, &err))
        abort();
    return stash;
}

static double peak_of(size_t namespaces, size_t objects, void (*work)(const struct parts *parts))
{
    int status;
    struct rusage usage;
    pid_t child = fork();
    if (child == 0) {
        struct arena *arena = arena_new();
        struct parts parts;
        parts_of_stash(arena, corpus_stash(arena, namespaces, objects), &parts);
        work(&parts);
        _exit(0);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024;
}

void corpus_memory_row(size_t namespaces, size_t objects, void (*work)(const struct parts *parts))
{
    double peak = peak_of(namespaces, objects, work); /* first: a child begins with what its parent holds */
    struct arena *arena = arena_new();
    struct stash *stash = corpus_stash(arena, namespaces, objects);
    double json = 0, largest = 0;
    for (size_t i = 0; i < stash_part_count(stash); i++) {
        double part = (double)stash_part(stash, i).bytes / 1e6;
        json += part;
        largest = part > largest ? part : largest;
    }
    printf(
        "  %6zu objects in %4zu namespaces, %6.1f MB of JSON, largest namespace %5.1f MB: peak %6.1f MiB\n",
        objects, namespaces, json, largest, peak);
    stash_close(stash);
    arena_free(arena);
}
