# shellcheck shell=bash
# MinIO on loopback, with root credentials made up for this run.

# minio_start: leaves MINIO_URL, MINIO_KEY and MINIO_SECRET exported.
minio_start() {
    local port
    port=$(free_port)
    export MINIO_URL=http://127.0.0.1:$port MINIO_KEY MINIO_SECRET
    MINIO_KEY=root$(random_hex 4)
    MINIO_SECRET=$(random_hex 16)
    mkdir -p "$LIVE_DIR/minio"
    MINIO_ROOT_USER=$MINIO_KEY MINIO_ROOT_PASSWORD=$MINIO_SECRET MINIO_UPDATE=off MINIO_BROWSER=off \
        start minio minio server "$LIVE_DIR/minio" --address "127.0.0.1:$port" --quiet
    wait_until 30 MinIO curl -fsS "$MINIO_URL/minio/health/ready"
}

# s3 METHOD PATH [BODY [curl arguments]]: one request signed as root, or as S3_KEY, S3_SECRET and S3_TOKEN where
# they are set; prints the status. PATH has no query: the curl of Debian 12 signs none rightly.
s3() {
    local method=$1 path=$2 body=${3:-}
    shift 2
    if [ $# -gt 0 ]; then shift; fi
    curl -sS -o /dev/null -w '%{http_code}' -X "$method" --aws-sigv4 aws:amz:us-east-1:s3 \
        --user "${S3_KEY:-$MINIO_KEY}:${S3_SECRET:-$MINIO_SECRET}" \
        -H "x-amz-content-sha256: $(printf %s "$body" | sha256sum | cut -d' ' -f1)" \
        ${S3_TOKEN:+-H "x-amz-security-token: $S3_TOKEN"} ${body:+--data-raw "$body"} "$@" "$MINIO_URL/$path"
}

make_bucket() { # name
    expect_eq "creating bucket $1" "$(s3 PUT "$1")" 200
}

# read_only_credentials BUCKET: prints "key secret session-token" that may list and get, and nothing else.
read_only_credentials() {
    local policy answer
    policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","s3:GetBucketLocation"],"Resource":["arn:aws:s3:::'$1'","arn:aws:s3:::'$1'/*"]}]}'
    answer=$(curl -sS --fail-with-body -X POST --aws-sigv4 aws:amz:us-east-1:sts --user "$MINIO_KEY:$MINIO_SECRET" \
        --data-urlencode Action=AssumeRole --data-urlencode Version=2011-06-15 --data-urlencode DurationSeconds=3600 \
        --data-urlencode "Policy=$policy" "$MINIO_URL/")
    xml_text() { sed -n "s,.*<$1>\([^<]*\)</$1>.*,\1,p" <<<"$answer"; }
    echo "$(xml_text AccessKeyId) $(xml_text SecretAccessKey) $(xml_text SessionToken)"
}

s3_put_file() { # path file
    curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user "$MINIO_KEY:$MINIO_SECRET" -T "$2" \
        -H "x-amz-content-sha256: $(sha256sum "$2" | cut -d' ' -f1)" "$MINIO_URL/$1"
}

s3_get_file() { # path file
    curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user "$MINIO_KEY:$MINIO_SECRET" -o "$2" \
        -H "x-amz-content-sha256: $(sha256sum </dev/null | cut -d' ' -f1)" "$MINIO_URL/$1"
}
