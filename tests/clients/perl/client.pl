# A conversation with the gateway through Net::SMPP (Debian's libnet-smpp-perl).
#
# perl client.pl HOST PORT SYSTEM_ID PASSWORD TO [MO_NUMBER MO_COUNT MO_TEXT]
#
# TO is a destination without its last digit. With the last three arguments the operator behind the gateway is expected
# to send MO_COUNT messages to MO_NUMBER, each saying MO_TEXT with its number in place of {n}.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));

use Encode ();
use File::Basename qw(dirname);
use IO::Select;
use JSON::PP ();
use Net::SMPP;
use Time::HiRes qw(time);

my ($host, $port, $system_id, $password, $to, $mo_number, $mo_count, $mo_text) = map { Encode::decode('UTF-8', $_) } @ARGV;
$mo_count //= 0;
my $talk = read_talk(dirname(__FILE__) . '/../talk.json');

use constant { PATIENCE => 15, QUIET => 1.5, RINVBNDSTS => 0x04, RALYBND => 0x05, RINVPASWD => 0x0E, RQUERYFAIL => 0x67 };

my ($passed, $failed, %mo_seen) = (0, 0);
eval { conversation(); 1 } or check('the conversation goes to its end', 0, $@);
print "Net::SMPP: $passed passed, $failed failed\n";
exit($failed ? 1 : 0);

sub conversation {
    refusals();
    my $early = transmitter();
    receiver($early);
    transceiver();
    check('every message from a phone came once', keys %mo_seen == $mo_count, keys(%mo_seen) . " of $mo_count");
}

sub refusals {
    for (['a wrong password', $system_id, 'wrong'], ['an unknown system_id', 'nobody', $password]) {
        my ($what, @login) = @$_;
        my $peer = Peer->connect;
        my $answer = $peer->ask('bind_transceiver', system_id => $login[0], password => $login[1]);
        equal("$what is refused", [ $answer->explain_cmd, $answer->status ], [ 'bind_transceiver_resp', RINVPASWD ]);
    }
}

sub transmitter {
    my $peer = Peer->bound('bind_transmitter');
    $peer->enquire;
    my $sent = submit($peer, 'transmitter', data_coding => 0, short_message => gsm('transmitter'));
    $peer->listen(QUIET);
    equal('nothing is delivered to a transmitter', [ $peer->{delivered} ], [0]);
    $peer->unbind;
    return $sent;
}

sub receiver {
    my ($early) = @_;
    # As a peer of SMPP 3.3, which knows no TLVs.
    my $peer = Peer->bound('bind_receiver', interface_version => 0x33);
    receipts($peer, [ undef, undef ], $early);
    $peer->until('messages from phones', sub { keys %mo_seen >= $mo_count });
    my $refused = $peer->ask('submit_sm', addresses('gsm'), short_message => 'Not on a receiver');
    equal('submit_sm on a receiver is refused', [ $refused->explain_cmd, $refused->status ], [ 'submit_sm_resp', RINVBNDSTS ]);
    $peer->enquire;
    $peer->unbind;
}

sub transceiver {
    my $peer = Peer->bound('bind_transceiver');
    my $again = $peer->ask('bind_transceiver', system_id => $system_id, password => $password);
    equal('a second bind is refused', [ $again->status ], [RALYBND]);

    my @sent = (
        submit($peer, 'gsm', data_coding => 0, short_message => gsm('gsm')),
        submit($peer, 'ucs2', data_coding => 8, short_message => Encode::encode('UTF-16BE', text_of('ucs2'))),
        parts($peer),
        submit($peer, 'payload', data_coding => 0, message_payload => gsm('payload')),
        data($peer),
    );
    my %ids = map { $_->{id} => 1 } @sent;
    equal('message ids differ', [ scalar keys %ids ], [ scalar @sent ]);
    receipts($peer, undef, @sent);
    for my $one (@sent) {
        my $answer = $peer->query($one->{id});
        equal("query_sm of $one->{what} ($one->{to})", [ $answer->status, @$answer{qw(message_id message_state)} ], [ 0, $one->{id}, 2 ]);
    }
    equal('query_sm of an unknown message', [ $peer->query('1')->status ], [RQUERYFAIL]);
    $peer->enquire;
    $peer->unbind;
}

sub submit {
    my ($peer, $kind, @fields) = @_;
    return accepted("submit_sm $kind", $kind, $peer->ask('submit_sm', addresses($kind), registered_delivery => 1, @fields));
}

# 153 septets a part, with a header of six octets. The module has no splitter, so this cuts as simple clients do: also
# between an escape and its letter.
sub parts {
    my ($peer) = @_;
    my @parts = unpack '(a153)*', gsm('parts');
    my @sent;
    for my $number (1 .. @parts) {
        my $user_data = pack('C6', 5, 0, 3, 0x77, scalar @parts, $number) . $parts[ $number - 1 ];
        my $answer = $peer->ask('submit_sm', addresses('parts'), registered_delivery => 1, esm_class => 0x40, short_message => $user_data);
        push @sent, accepted("part $number of " . @parts, 'parts', $answer);
    }
    return @sent;
}

sub data {
    my ($peer) = @_;
    my $answer = $peer->ask('data_sm', addresses('data'), registered_delivery => 1, message_payload => gsm('data'));
    return accepted('data_sm', 'data', $answer);
}

sub accepted {
    my ($what, $kind, $answer) = @_;
    equal("$what is accepted", [ $answer->status ], [0]);
    my $id = $answer->message_id // '';
    check("$what has a decimal message_id", $id =~ /^[0-9]+$/, $id);
    return { what => $what, id => $id, to => { addresses($kind) }->{destination_addr} };
}

# Waits for one receipt of each, and a while longer for a second one that must not come. Its TLVs repeat the id and the
# state, unless others are wanted.
sub receipts {
    my ($peer, $wanted, @sent) = @_;
    my $came = $peer->{receipts};
    $peer->until('receipts', sub { !grep { !$came->{ $_->{id} } } @sent });
    $peer->listen(QUIET);
    for my $one (@sent) {
        my ($receipt, @more) = @{ $came->{ $one->{id} } };
        my $text = $receipt->{short_message};
        equal("one receipt of $one->{what}", [ scalar @more ], [0]);
        check("receipt of $one->{what}: stat:DELIVRD", $text =~ / stat:DELIVRD /, $text);
        my ($id, $state) = @$receipt{qw(receipted_message_id message_state)};
        my @tlvs = (defined $id ? unpack('Z*', $id) : undef, defined $state ? unpack('C', $state) : undef);
        equal("receipt of $one->{what}: TLVs", \@tlvs, $wanted // [ $one->{id}, 2 ]);
        my @way = @$receipt{qw(source_addr destination_addr)};
        equal("receipt of $one->{what}: addresses", \@way, [ $one->{to}, $talk->{source} ]);
    }
    my %ours = map { $_->{id} => 1 } @sent;
    equal('receipts of nothing else', [ grep { !$ours{$_} } sort keys %$came ], []);
}

sub addresses {
    my ($kind) = @_;
    return (
        source_addr_ton => 5, source_addr_npi => 0, source_addr => $talk->{source},
        dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $to . $talk->{messages}{$kind}{digit},
    );
}

sub text_of { return $talk->{messages}{ $_[0] }{text} }
sub gsm { return Encode::encode('gsm0338', text_of($_[0])) }

sub read_talk {
    open my $file, '<:raw', $_[0] or die "$_[0]: $!";
    local $/;
    return JSON::PP->new->utf8->decode(<$file>);
}

sub equal {
    my ($what, $got, $expected) = @_;
    my ($left, $right) = map { '(' . join(', ', map { $_ // 'nothing' } @$_) . ')' } $got, $expected;
    return check($what, $left eq $right, "expected $right, got $left");
}

sub check {
    my ($what, $holds, $detail) = @_;
    $holds ? $passed++ : $failed++;
    print $holds ? "PASS $what\n" : "FAIL $what: $detail\n";
    return;
}

# One connection. Everything that is delivered is noted and answered. The module waits for an answer by throwing away
# all that comes before it, so every request here is asynchronous and this reads what comes.
package Peer;

sub connect {
    my ($class) = @_;
    my $smpp = Net::SMPP->new_connect($host, port => $port, async => 1, timeout => main::PATIENCE)
        or die "no connection to $host:$port: $!\n";
    return bless { smpp => $smpp, receipts => {}, answers => {}, delivered => 0 }, $class;
}

sub bound {
    my ($class, $command, @fields) = @_;
    my $self = $class->connect;
    my $answer = $self->ask($command, system_id => $system_id, password => $password, @fields);
    main::equal("$command is accepted", [ $answer->explain_cmd, $answer->status ], [ "${command}_resp", 0 ]);
    return $self;
}

sub ask {
    my ($self, $command, @fields) = @_;
    my $seq = $self->{smpp}->$command(map { utf8::is_utf8($_) ? Encode::encode('UTF-8', $_) : $_ } @fields);
    $self->until("${command}_resp", sub { $self->{answers}{$seq} });
    return delete $self->{answers}{$seq};
}

sub query {
    my ($self, $id) = @_;
    return $self->ask('query_sm', message_id => $id, source_addr_ton => 5, source_addr_npi => 0, source_addr => $talk->{source});
}

sub enquire {
    my ($self) = @_;
    my $answer = $self->ask('enquire_link');
    main::equal('enquire_link is answered', [ $answer->explain_cmd, $answer->status ], [ 'enquire_link_resp', 0 ]);
    return;
}

sub unbind {
    my ($self) = @_;
    my $answer = $self->ask('unbind');
    main::equal('unbind is answered', [ $answer->explain_cmd, $answer->status ], [ 'unbind_resp', 0 ]);
    close $self->{smpp};
    return;
}

sub until {
    my ($self, $what, $holds) = @_;
    my $end = Time::HiRes::time() + main::PATIENCE;
    until ($holds->()) {
        die "no $what within " . main::PATIENCE . " s\n" if Time::HiRes::time() > $end;
        $self->step(0.1);
    }
    return;
}

sub listen {
    my ($self, $seconds) = @_;
    my $end = Time::HiRes::time() + $seconds;
    while ((my $left = $end - Time::HiRes::time()) > 0) {
        $self->step($left);
    }
    return;
}

# Takes one PDU if one comes in time.
sub step {
    my ($self, $seconds) = @_;
    return unless IO::Select->new($self->{smpp})->can_read($seconds);
    my $pdu = $self->{smpp}->read_pdu or die "the connection ended\n";
    return $self->take($pdu);
}

sub take {
    my ($self, $pdu) = @_;
    my $command = $pdu->explain_cmd;
    if ($command =~ /_resp$|^generic_nack$/) {
        $self->{answers}{ $pdu->seq } = $pdu;
    } elsif ($command eq 'enquire_link') {
        $self->{smpp}->enquire_link_resp(seq => $pdu->seq);
    } elsif ($command eq 'deliver_sm') {
        $self->deliver($pdu);
        $self->{smpp}->deliver_sm_resp(seq => $pdu->seq, message_id => '');
    } else {
        main::check('only known commands come', 0, $command);
    }
    return;
}

sub deliver {
    my ($self, $pdu) = @_;
    $self->{delivered}++;
    if (($pdu->{esm_class} & Net::SMPP::ESM_type_mask) == Net::SMPP::ESM_type_delivery_receipt) {
        my ($id) = $pdu->{short_message} =~ /^id:([^ ]+) /;
        push @{ $self->{receipts}{ $id // 'none' } }, $pdu;
        return;
    }
    my $charset = $pdu->{data_coding} == 8 ? 'UTF-16BE' : 'gsm0338';
    my $text = Encode::decode($charset, $pdu->{short_message});
    my ($wanted) = grep { my $n = $_; $text eq $mo_text =~ s/\{n\}/$n/r } 0 .. $mo_count - 1;
    my @seen = @$pdu{qw(esm_class source_addr destination_addr)};
    main::equal('a message from a phone has its addresses', \@seen, [ 0, $talk->{mo_source}, $mo_number ]);
    main::check("a message from a phone has its text, once: $text", defined $wanted && !$mo_seen{$wanted}, $text);
    $mo_seen{ $wanted // 'unknown' } = 1;
    return;
}
