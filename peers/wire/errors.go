package wire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"reflect"

	"github.com/edgelab/edgelab/lab/verdict"
)

// A RefusedError says that this side's judge refused the other's certificate in the handshake.
type RefusedError struct{ Judgement verdict.Judgement }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s as %s refuses the certificate: %s", e.Judgement.Product, e.Judgement.Role, e.Judgement.Code)
}

// An AlertError says that the other side refused with a TLS alert.
type AlertError struct{ Alert uint8 }

func (e *AlertError) Error() string { return "refused with TLS alert " + AlertName(e.Alert) }

// AlertName returns an alert's number and name, as in "43 unsupported_certificate".
func AlertName(alert uint8) string {
	if n, ok := alertNames[alert]; ok {
		return fmt.Sprintf("%d %s", alert, n)
	}
	return fmt.Sprintf("%d", alert)
}

// The alert descriptions of RFC 8446 §6 and RFC 5246 §7.2 that a certificate can bring about, and their neighbours.
var alertNames = map[uint8]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
	42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
	46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
	51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback",
	90: "user_canceled", 109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
	113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required", 120: "no_application_protocol",
}

// received returns the alert that err says the other side sent. crypto/tls keeps the type of alerts that arrive over
// TCP to itself: they come as a net.OpError whose Op is "remote error" around an unexported integer.
func received(err error) (uint8, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	var ae tls.AlertError
	if errors.As(op.Err, &ae) {
		return uint8(ae), true
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint()), true
	}
	return 0, false
}
