// Package csexport reads what Lync Server and Skype for Business Server write about themselves: the topology as
// Get-CsTopology -AsXml prints it or as Topology Builder saves it (.tbxml), and the partner lists of
// Get-CsAllowedDomain, Get-CsPublicProvider, Get-CsHostingProvider and Get-CsXmppAllowedPartner as Export-Csv or
// Export-Clixml write them. From these it makes a topology and a scenario file to go on with.
//
// The shapes of the elements are those of published topology documents: the XML that public deployment scripts pass
// to Publish-CsTopology, and a sample .tbxml of three Edge Servers with XMPP. What they mean is taken from the topic
// "Define your edge topology" (Lync Server 2013, 2012-09-28). An export says less than a plan needs, so nothing is
// filled in silently: what is ambiguous becomes a Note and a commented line of the scenario file.
package csexport
