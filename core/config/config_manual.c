/* The manual of gitops-pipe.yaml, from the rows that read it. */
#include "core/config/config_keys.h"

const char config_example[] =
    "apiVersion: gitops-pipe.io/v1\n"
    "kind: Pipeline\n"
    "\n"
    "cluster:\n"
    "  name: prod-eu\n"
    "  context: prod-eu                 # of the kubeconfig\n"
    "  kubeconfig: ${HOME}/.kube/config\n"
    "  include: {namespaces: [\"*\"], types: [], names: [], labels: tier!=test}\n"
    "  exclude:\n"
    "    namespaces: [\"scratch-*\"]\n"
    "    types: [events, events.events.k8s.io, leases.coordination.k8s.io]\n"
    "    names: [\"tmp-*\"]\n"
    "  preset: declared                 # leave out what controllers make\n"
    "  clusterScoped: true\n"
    "  allowMissing: [pods.metrics.k8s.io]\n"
    "\n"
    "stores:                            # several: every backup goes to each; --store names one\n"
    "  - name: main\n"
    "    url: s3://backups/prod-eu\n"
    "    endpoint: https://minio.example.com\n"
    "    region: eu-1\n"
    "    caFile: minio-ca.pem\n"
    "    profile: backups               # keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else this "
    "profile\n"
    "    pathStyle: true\n"
    "  - {name: second, url: \"file:///srv/backups\"}\n"
    "\n"
    "hooks:                             # before: in this order; after: also when the backup fails\n"
    "  - name: orders-db\n"
    "    when: before\n"
    "    pod: {namespace: shop, selector: app=orders-db, container: postgres}\n"
    "    command: [pg_dump, -U, postgres, orders]\n"
    "    output: true                   # gitops-pipe show latest --hook orders-db > orders.sql\n"
    "    timeout: 30m\n"
    "    onFailure: fail\n"
    "  - {name: thaw, when: after, pod: {namespace: shop, name: cache-0}, command: [redis-cli, config, set, "
    "save, \"60 1\"]}\n"
    "  - {name: announce, when: after, command: [/usr/local/bin/announce], environment: [WEBHOOK_URL], "
    "onFailure: continue}\n"
    "\n"
    "encrypt:\n"
    "  recipients: [age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj]\n"
    "  identityFile: /root/keys/backup.txt   # only where backups are read\n"
    "\n"
    "quality:\n"
    "  gate: {overall: 80, schema: 95, security: 85, production: 70, resources: 70}\n"
    "  failOn: error\n"
    "  weights: {schema: 30, security: 30, production: 25, resources: 15}\n"
    "\n"
    "secrets:\n"
    "  mode: sops\n"
    "  recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]\n"
    "  inTheClear: refuse               # or report\n"
    "  rules:\n"
    "    - {mode: omit, match: {name: \"registry-*\"}}\n"
    "    - {mode: external, match: {labels: {team: payments}}, environments: [prod]}\n"
    "  certificate: sealed-secrets.pem\n"
    "  controller: {namespace: kube-system, name: sealed-secrets-controller, context: prod}\n"
    "  scope: strict\n"
    "  external: {store: vault, kind: ClusterSecretStore, key: \"{cluster}/{namespace}/{name}\", "
    "refreshInterval: 1h}\n"
    "transform:\n"
    "  helm: keep                       # or strip\n"
    "  disable:\n"
    "    - noise.annotations\n"
    "    - {rule: service.node-ports, match: {type: services, namespace: edge, name: \"gateway-*\"}}\n"
    "  rules:\n"
    "    - {name: no-scratch, match: {namespace: \"*-scratch\"}, drop: object}\n"
    "    - {name: one-registry, match: {type: [deployments.apps, statefulsets.apps]}, drop: "
    "/spec/template/spec/imagePullSecrets}\n"
    "    - name: keep-volumes\n"
    "      match: {type: persistentvolumes, labels: {tier: data}}\n"
    "      set: {pointer: /spec/persistentVolumeReclaimPolicy, value: Retain}\n"
    "\n"
    "environments:\n"
    "  - {name: dev, replicas: {fixed: 1}, debug: true, hosts: {domain: dev.example.com}}\n"
    "  - {name: staging, replicas: {fixed: 2}, namespaces: {prefix: \"\", suffix: \"-staging\", map: {shop: "
    "store}}}\n"
    "  - {name: prod, replicas: {atLeast: 3}, harden: true, destination: \"https://prod.example.com:6443\",\n"
    "     secrets: {mode: sealed, certificate: prod.pem, scope: namespace-wide}}\n"
    "  - name: dr\n"
    "    routing: {gateways: [istio-system/public], domain: dr.example.com, region: eu}\n"
    "    storageClasses: {map: {fast-ssd: gp3}, default: standard}\n"
    "    secrets:\n"
    "      mode: external\n"
    "      recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]\n"
    "      controller: {namespace: sealing, name: controller, context: dr}\n"
    "      external: {store: vault, kind: SecretStore, key: \"dr/{namespace}/{name}\", refreshInterval: "
    "15m}\n"
    "\n"
    "keep: {last: 3, daily: 7, weekly: 5, monthly: 12, within: 2d, grace: 1h, wait: 15m}\n"
    "\n"
    "target: {version: \"1.36\"}\n"
    "\n"
    "git:\n"
    "  url: https://git.example.com/platform/prod-eu.git\n"
    "  branch: main\n"
    "  author: gitops-pipe <ops@example.com>\n"
    "  maxDeletions: 30\n"
    "deliver: [argocd, flux]\n"
    "\n"
    "drills:\n"
    "  target: context:dr-test\n"
    "  environment: prod\n"
    "  objectives: {recoveryTime: 5m, recoveryPoint: 24h}\n"
    "\n"
    "report: {dir: report}\n"
    "state: {dir: .gitops-pipe}\n";

/* How a value of each type is written. */
static const char *const type_words[] = {
    [CONFIG_STRING] = "text",       [CONFIG_STRINGS] = "list of texts",
    [CONFIG_PERCENT] = "0 to 100",  [CONFIG_BOOL] = "true or false",
    [CONFIG_DURATION] = "duration", [CONFIG_SECRETS] = "mode",
    [CONFIG_SEVERITY] = "severity", [CONFIG_REPLICAS] = "map",
    [CONFIG_FOLDER] = "path",       [CONFIG_PATH] = "path",
    [CONFIG_OFF] = "list",          [CONFIG_RULES] = "list",
    [CONFIG_HELM] = "word",         [CONFIG_COUNT] = "number",
    [CONFIG_MAP] = "map",           [CONFIG_SCOPE] = "word",
    [CONFIG_SECRET_RULES] = "list", [CONFIG_IN_CLEAR] = "word",
};

static void write_default(struct buf *text, const struct config_key *key)
{
    struct str rest = str_of(key->fallback);
    if (rest.len == 0)
        return;
    if (key->type != CONFIG_STRINGS) {
        buf_fmt(text, "`%s`", key->fallback);
        return;
    }
    for (const char *between = "`["; rest.len != 0; between = ", ") {
        struct str word = str_cut(&rest, ' ');
        buf_fmt(text, "%s%.*s", between, STR_ARG(word));
    }
    buf_text(text, "]`");
}

static void write_table(struct buf *text, const struct config_table *table)
{
    buf_text(text, "| key | value | default | what it is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct config_key *key = &table->keys[i];
        buf_fmt(text, "| `%s` | %s | ", key->path, type_words[key->type]);
        write_default(text, key);
        buf_fmt(text, " | %s |\n", key->text);
    }
}

void config_markdown(struct buf *text)
{
    buf_text(text,
             "# gitops-pipe.yaml\n\n"
             "One file says what is backed up, where to, and what is made of it; `gitops-pipe init` writes a "
             "first\n"
             "one. Every key may be left out. `apiVersion: gitops-pipe.io/v1` and `kind: Pipeline` must "
             "stand in it.\n"
             "An unknown key is an error with line, column and the nearest key there is.\n"
             "`gitops-pipe init --schema` prints the same table as JSON Schema, for editors. Without a file "
             "every\n"
             "default holds. `gitops-pipe help configuration` prints this page; it is written from\n"
             "`core/config/config.def`: change that, not this file.\n\n"
             "- A dot in a key is a map inside a map: `quality.gate.overall: 80` is `quality: {gate: "
             "{overall: 80}}`.\n"
             "- `${NAME}` in any text is replaced by the environment variable NAME; one that is not set is "
             "an error.\n"
             "  A `$` without `{` stays as it is.\n"
             "- A relative path, also that of a `file:` store, is relative to the folder of the file.\n"
             "- A duration is numbers with units, `90s`, `1h30m`, `2d`; the units are ms, s, m, h and d.\n\n"
             "## Keys\n\n");
    write_table(text, &config_keys);
    buf_text(
        text,
        "\n## Each of `stores`\n\n"
        "A list. With several every backup goes to each of them, and what is read comes from the first that "
        "has it\n"
        "whole; `--store` names one of them, or another by URL. A store needs a `url`. Without the list\n"
        "there is one, the folder `backups` in the current directory.\n\n");
    write_table(text, &config_store_keys);
    buf_text(
        text,
        "\n## Each of `hooks`\n\n"
        "A list, in the order in which they run; [hooks.md](hooks.md) says what becomes of their output. A "
        "hook\n"
        "needs a `name` and a `command`. Names are lower-case letters, digits and `-`.\n\n");
    write_table(text, &config_hook_keys);
    buf_text(
        text,
        "\n## Each of `environments`\n\n"
        "A list; each needs a `name`, lower-case letters, digits and `-`. Without the list there are three:\n"
        "dev (`replicas: {fixed: 1}`, `debug: true`), staging (`replicas: {fixed: 2}`) and prod\n"
        "(`replicas: {atLeast: 3}`, `harden: true`).\n\n");
    write_table(text, &config_environment_keys);
    buf_fmt(text, "\n## A file with every key\n\n```yaml\n%s```\n", config_example);
}
