# Edge internal, in the Lync Server Management Shell of the Edge Server
Request-CsCertificate -New -Type Internal -ComputerFqdn "lsedge.contoso.net" -CA "dc01.contoso.net\Contoso CA" -FriendlyName "Edge internal" -PrivateKeyExportable $True -KeySize 2048 -KeyAlg RSA

# When the certificate has come:
Import-CsCertificate -Path C:\internal.cer -PrivateKeyExportable $True
Set-CsCertificate -Type Internal -Thumbprint "<thumbprint>"
