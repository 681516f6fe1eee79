// The engine inside Centrifugo with its batching on, fed by nats-server: each room's change is published to one channel that every
// client is subscribed to at its connect. A peer of the benchmark; the choice of options is ours, the rest is the library's.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/golang-jwt/jwt/v5"
	"github.com/nats-io/nats.go"
)

const version = "0.40.1"
const channel = "city"

type view struct {
	Type   string `json:"type"`
	Slug   string `json:"room_slug"`
	Online int64  `json:"online_count"`
	Typing int64  `json:"typing_count"`
}

func main() {
	if len(os.Args) == 2 {
		fmt.Println(engineVersion())
		return
	}
	url, user, pass, secret := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	node, err := centrifuge.New(centrifuge.Config{ClientQueueMaxSize: 16 << 20})
	check(err)
	node.OnConnecting(func(ctx context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Subscriptions: map[string]centrifuge.SubscribeOptions{channel: {}},
			// Several messages wait for each other and leave in one frame, as Centrifugo's client_message_batching does.
			WriteDelay:         20 * time.Millisecond,
			WriteWithTimer:     true,
			MaxMessagesInFrame: -1,
			ReplyWithoutQueue:  true,
		}, nil
	})
	check(node.Run())
	go func() {
		// Whoever started it is gone.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	hear(node, url, user, pass)
	handler := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin: func(*http.Request) bool { return true },
		// Readers of the benchmark do not speak its own ping.
		PingPongConfig: centrifuge.PingPongConfig{PongTimeout: -1},
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/connection/websocket", func(w http.ResponseWriter, r *http.Request) {
		_, err := jwt.Parse(r.URL.Query().Get("token"), func(*jwt.Token) (any, error) { return []byte(secret), nil }, jwt.WithValidMethods([]string{"HS256"}))
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		ctx := centrifuge.SetCredentials(r.Context(), &centrifuge.Credentials{UserID: "viewer"})
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	check(http.Serve(listener, mux))
}

func hear(node *centrifuge.Node, url, user, pass string) {
	connection, err := nats.Connect(url, nats.UserInfo(user, pass), nats.CustomInboxPrefix("_INBOX_gateway"))
	check(err)
	_, err = connection.Subscribe("city.presence.room.>", func(message *nats.Msg) {
		var room view
		if json.Unmarshal(message.Data, &room) != nil {
			return
		}
		data, _ := json.Marshal(room)
		_, _ = node.Publish(channel, data)
	})
	check(err)
}

func engineVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == "github.com/centrifugal/centrifuge" {
			return dependency.Version
		}
	}
	return version
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
