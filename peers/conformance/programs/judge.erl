#!/usr/bin/env escript
%% OTP's ssl as packaged, judging. "server STORE CHAIN KEY PORT" answers a line with "ok"; "client STORE CHAIN KEY MATCH"
%% reads "PORT NAME" lines and connects. MATCH is default or https.
-mode(compile).

main([Role, Store, Chain, Key, Arg]) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    Common = [{cacertfile, Store}, {certfile, Chain}, {keyfile, Key}, {verify, verify_peer}, {active, false},
              {log_level, none}, {versions, ['tlsv1.2', 'tlsv1.3']}, binary],
    case Role of
        "server" -> serve(Common, list_to_integer(Arg));
        "client" -> connect(Common ++ match(Arg))
    end.

match("default") -> [];
match("https") ->
    [{customize_hostname_check, [{match_fun, public_key:pkix_verify_hostname_match_fun(https)}]}].

serve(Common, Port) ->
    {ok, Listen} = ssl:listen(Port, Common ++ [{ip, {127, 0, 0, 1}}, {reuseaddr, true}, {fail_if_no_peer_cert, true}]),
    io:format("ready~n"),
    accept(Listen).

accept(Listen) ->
    {ok, Raw} = ssl:transport_accept(Listen),
    case ssl:handshake(Raw, 10000) of
        {ok, Socket} ->
            case ssl:recv(Socket, 0, 10000) of
                {ok, _} -> ssl:send(Socket, "ok\n"), io:format("judged: ok~n");
                {error, Reason} -> say(Reason)
            end,
            ssl:close(Socket);
        {error, Reason} ->
            say(Reason)
    end,
    accept(Listen).

connect(Options) ->
    io:format("ready~n"),
    connect_next(Options).

connect_next(Options) ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [Port, Name] = string:lexemes(string:trim(Line), " "),
            Named = Options ++ [{server_name_indication, Name}],
            try ssl:connect({127, 0, 0, 1}, list_to_integer(Port), Named, 10000) of
                {ok, Socket} -> ssl:send(Socket, "hello\n"), io:format("judged: ok~n"), ssl:close(Socket);
                {error, Reason} -> say(Reason)
            catch
                _:Reason -> say(Reason)
            end,
            connect_next(Options)
    end.

say({tls_alert, {Name, Text}}) ->
    io:format("judged: ~p: ~ts~n", [Name, lists:flatten(string:replace(lists:flatten(Text), "\n", " ", all))]);
say(Reason) ->
    io:format("judged: ~0p~n", [Reason]).
