<?xml version="1.0"?>
<!-- Takes what the OpenAPI document says about snapshots, and the dashboard about drop reasons, out of the library's documentation file: lines of id, tab, text. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text" encoding="utf-8"/>
  <xsl:template match="/">
    <xsl:for-each select="//member[contains(@name, 'Snapshot') or contains(@name, 'DirectoryDifference') or contains(@name, 'Frames.DropReason.')]">
      <xsl:if test="starts-with(@name, 'T:') or starts-with(@name, 'P:') or starts-with(@name, 'F:')">
        <xsl:value-of select="concat(@name, '&#9;', normalize-space(summary), '&#10;')"/>
      </xsl:if>
    </xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
