#!/usr/bin/perl
# An SMSC for tests, on the SMPP library of Perl (Debian: libnet-smpp-perl). Prints its port, then one
# line for each message: destination, source, text. A destination that ends in 99 is refused; the
# password is "secret".
use strict;
use warnings;
use IO::Socket::INET;
use Net::SMPP;

$| = 1;
my $smsc = Net::SMPP->new_listen('127.0.0.1', port => 0) or die "cannot listen: $!";
print 'port ', $smsc->sockport, "\n";
while (my $peer = $smsc->accept) {
  my $bound = 0;
  while (my $pdu = $peer->read_pdu) {
    my $cmd = $pdu->{cmd};
    if ($cmd == Net::SMPP::CMD_bind_transmitter) {
      $bound = $pdu->{password} eq 'secret';
      $peer->bind_transmitter_resp(system_id => 'test', seq => $pdu->{seq}, status => $bound ? 0 : 0x0e);
    } elsif ($cmd == Net::SMPP::CMD_submit_sm && $bound) {
      my $refused = $pdu->{destination_addr} =~ /99$/;
      print join("\t", $pdu->{destination_addr}, $pdu->{source_addr}, $pdu->{short_message}), "\n"
        unless $refused;
      $peer->submit_sm_resp(message_id => '1', seq => $pdu->{seq}, status => $refused ? 0x0b : 0);
    } elsif ($cmd == Net::SMPP::CMD_unbind) {
      $peer->unbind_resp(seq => $pdu->{seq});
      last;
    } else {
      last;
    }
  }
  close $peer;
}
