#!/usr/bin/env bash
# Makes the certificates of the tests anew: a root, an intermediate, and leaves for contoso.com that differ in one
# thing each. Their keys are thrown away. No test depends on serial numbers or keys.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"; }

# Only the ca command takes dates in every version of OpenSSL. It keeps a database.
: >"$work/index"
cat >"$work/ca.cnf" <<END
[ca]
default_ca = x
[x]
database = $work/index
new_certs_dir = $work
default_md = sha256
policy = any
unique_subject = no
[v2]
authorityKeyIdentifier = keyid
[any]
commonName = supplied
END

signed() { # NAME SUBJECT ISSUER SERIAL END EXTENSIONS
  key "$1"
  openssl req -new -key "$work/$1.key" -subj "$2" -out "$work/$1.csr"
  local by=(-cert "$3.pem" -keyfile "$work/$3.key")
  [ "$3" != "$1" ] || by=(-selfsign -keyfile "$work/$1.key")
  echo "$4" >"$work/serial"
  openssl ca -batch -notext -config <(cat "$work/ca.cnf"; echo "[x]"; echo "serial = $work/serial") "${by[@]}" -in "$work/$1.csr" \
    -startdate 20260101000000Z -enddate "$5" -extfile <(printf '%b\n' "$6") -out "$1.pem" 2>/dev/null
}

leaf='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectAltName=DNS:contoso.com,DNS:sip.contoso.com'

ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
signed root '/CN=Test root' root 01 20360101000000Z "$ca"
signed other-root '/CN=Another root' other-root 02 20360101000000Z "$ca"
signed intermediate '/CN=Test intermediate' root 03 20360101000000Z "$ca"
signed both '/CN=contoso.com' intermediate 10 20270101000000Z "$leaf\nextendedKeyUsage=serverAuth,clientAuth"
signed server '/CN=contoso.com' intermediate 11 20270101000000Z "$leaf\nextendedKeyUsage=serverAuth"

openssl ca -config "$work/ca.cnf" -cert intermediate.pem -keyfile "$work/intermediate.key" -revoke both.pem 2>/dev/null
openssl ca -config "$work/ca.cnf" -gencrl -cert intermediate.pem -keyfile "$work/intermediate.key" \
  -crldays 3650 -out crl-v1.pem 2>/dev/null
openssl ca -config "$work/ca.cnf" -gencrl -cert intermediate.pem -keyfile "$work/intermediate.key" \
  -crldays 3650 -crlexts v2 -out crl.pem 2>/dev/null
openssl crl -in crl-v1.pem -outform DER -out crl-v1.der
openssl crl -in crl.pem -outform DER -out crl.der

cat both.pem intermediate.pem >chain-both.pem
cat server.pem intermediate.pem >chain-server.pem
{ openssl x509 -in both.pem -outform DER; openssl x509 -in intermediate.pem -outform DER; } >chain-both.der
{ printf 'subject=CN = contoso.com\r\nissuer=Test intermediate\r\n\r\n'; sed 's/$/\r/' both.pem
  printf -- '---\nServer certificate \377\376\n'; cat intermediate.pem; echo 'DONE'; } >garbage-between.pem
rm intermediate.pem server.pem
