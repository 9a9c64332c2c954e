import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.cert.Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

/** JSSE as packaged, judging. "server PORT" answers a line with "ok"; "client" reads "PORT NAME" lines and connects. */
public class Judge {
    public static void main(String[] args) throws Exception {
        SSLContext context = context(args[1], args[2], args[3]);
        if (args[0].equals("server")) {
            serve(context, Integer.parseInt(args[4]));
        } else {
            connect(context);
        }
    }

    static SSLContext context(String store, String chain, String key) throws Exception {
        CertificateFactory x509 = CertificateFactory.getInstance("X.509");
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        int n = 0;
        try (InputStream in = new BufferedInputStream(new FileInputStream(store))) {
            for (Certificate c : x509.generateCertificates(in)) {
                trusted.setCertificateEntry("ca" + n++, c);
            }
        }
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        String pem = Files.readString(Path.of(key)).replaceAll("-----[^-]+-----", "").replaceAll("\\s", "");
        PrivateKey secret = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        try (InputStream in = new BufferedInputStream(new FileInputStream(chain))) {
            own.setKeyEntry("own", secret, new char[0], x509.generateCertificates(in).toArray(new Certificate[0]));
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    static void serve(SSLContext context, int port) throws Exception {
        ServerSocket plain = new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
        System.out.println("ready");
        while (true) {
            Socket raw = plain.accept();
            try (SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(raw, null, true)) {
                raw.setSoTimeout(10000);
                s.setUseClientMode(false);
                s.setNeedClientAuth(true);
                s.startHandshake();
                answer(s);
                System.out.println("judged: ok");
            } catch (Exception e) {
                System.out.println("judged: " + reason(e));
            }
        }
    }

    static void answer(SSLSocket s) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(s.getInputStream(), StandardCharsets.US_ASCII));
        in.readLine();
        s.getOutputStream().write("ok\n".getBytes(StandardCharsets.US_ASCII));
        s.getOutputStream().flush();
    }

    static void connect(SSLContext context) throws Exception {
        System.out.println("ready");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] word = line.split(" ");
            try (Socket raw = new Socket("127.0.0.1", Integer.parseInt(word[0]));
                 SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(raw, word[1], raw.getPort(), true)) {
                raw.setSoTimeout(10000);
                SSLParameters p = s.getSSLParameters();
                p.setEndpointIdentificationAlgorithm("HTTPS");
                s.setSSLParameters(p);
                s.startHandshake();
                s.getOutputStream().write("hello\n".getBytes(StandardCharsets.US_ASCII));
                s.getOutputStream().flush();
                System.out.println("judged: ok");
            } catch (Exception e) {
                System.out.println("judged: " + reason(e));
            }
        }
    }

    static String reason(Throwable e) {
        while (e.getCause() != null && e.getCause() != e) {
            e = e.getCause();
        }
        return String.valueOf(e.getMessage()).replace('\n', ' ');
    }
}
