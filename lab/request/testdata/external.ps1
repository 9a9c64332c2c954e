# External / Access Edge, in the Lync Server Management Shell of the Edge Server
# <template> is one of your own that has both EKUs; the Certificate Wizard's Web Server template has the server EKU only
Request-CsCertificate -New -Type AccessEdgeExternal,DataEdgeExternal,AudioVideoAuthentication -ComputerFqdn "lsedge.contoso.net" -Output C:\external.csr -FriendlyName "External / Access Edge" -Template "<template>" -PrivateKeyExportable $True -DomainName "contoso.com,fabrikam.com" -AllSipDomain -ClientEKU $true -KeySize 2048 -KeyAlg RSA

# When the certificate has come:
Import-CsCertificate -Path C:\external.cer -PrivateKeyExportable $True
Set-CsCertificate -Type AccessEdgeExternal,DataEdgeExternal,AudioVideoAuthentication -Thumbprint "<thumbprint>"
