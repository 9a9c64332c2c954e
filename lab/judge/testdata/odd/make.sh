#!/bin/bash
# Makes the certificates that Go can't parse or can't use. Needs OpenSSL 3.
set -e
key() { # kind file
 case $1 in
 ed448) openssl genpkey -algorithm ed448 -out $2;;
 ed25519) openssl genpkey -algorithm ed25519 -out $2;;
 rsapss) openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048 -out $2;;
 rsa) openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out $2;;
 dsa) openssl dsaparam -out p.dsa 2048 2>/dev/null; openssl gendsa -out $2 p.dsa 2>/dev/null;;
 explicit) openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out $2;;
 *) openssl ecparam -name $1 -genkey -noout -out $2;;
 esac
}
md() { case $1 in ed448|ed25519) echo "";; *) echo "-sha256";; esac; }
cat > x.cnf <<C
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
basicConstraints=CA:FALSE
keyUsage=digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:im.odd.example
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
C
make() { # name rootkind interkind leafkind serial
 d=$1; mkdir -p $d; key $2 $d/root.key; key $3 $d/inter.key; key $4 $d/leaf.key
 openssl req -new -x509 $(md $2) -key $d/root.key -subj "/O=odd/CN=$1 root" -days 100 -out $d/root.pem -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') -extensions ca -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n'; cat x.cnf) 2>/dev/null
 openssl req -new $(md $3) -key $d/inter.key -subj "/O=odd/CN=$1 inter" -out $d/inter.csr -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') 2>/dev/null
 openssl x509 -req $(md $2) -in $d/inter.csr -CA $d/root.pem -CAkey $d/root.key -set_serial 5 -days 90 -extfile x.cnf -extensions ca -out $d/inter.pem 2>/dev/null
 openssl req -new $(md $4) -key $d/leaf.key -subj "/CN=im.odd.example" -out $d/leaf.csr -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') 2>/dev/null
 openssl x509 -req $(md $3) -in $d/leaf.csr -CA $d/inter.pem -CAkey $d/inter.key -set_serial ${5:-7} -days 80 -extfile x.cnf -extensions ${6:-leaf} -out $d/leaf.pem 2>/dev/null
 cat $d/leaf.pem $d/inter.pem > $d/chain.pem
}
P=prime256v1
for k in ed448 secp256k1 explicit; do make leaf-$k $P $P $k; done
make intermediate-brainpool $P brainpoolP256r1 $P
make negative $P $P $P -7
for d in leaf-ed448 leaf-secp256k1 leaf-explicit intermediate-brainpool negative; do
  mv $d/chain.pem $d.pem; mv $d/root.pem $d.root.pem; rm -r $d
done
rm x.cnf
