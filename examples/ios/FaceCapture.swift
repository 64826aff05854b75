// iOS: capture for one session, as source to paste. The backend opened the session; the app got its id and client token,
// and nothing else. Needs NSCameraUsageDescription in Info.plist, in words a person would accept.
//
// This posts one burst, with all steps told at once. For steps told one at a time, open `capture_url` in an
// ASWebAuthenticationSession instead, or speak the WebSocket of docs/streaming.md.
import AVFoundation
import CoreImage
import UIKit

struct Challenge: Decodable {
    struct Colour: Decodable {
        let rgb: String
        let ms: Int
    }

    struct Step: Decodable {
        let id: String
        let kind: String
        let min_ms: Int?
        let colours: [Colour]?
    }

    let steps: [Step]
}

/// What the device learns, and all it learns: a denial has no reason here, so show none.
enum Outcome { case accepted, denied, again([String]) }

final class FaceCapture: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate {
    private let service: URL
    private let session: String
    private let clientToken: String
    private let camera = AVCaptureSession()
    private let queue = DispatchQueue(label: "face-capture")
    private let context = CIContext()
    private var step: String?
    private var frames: [Data] = []
    private var timeline: [[String: Any]] = []
    private var first: CMTime?
    private var latest = CMTime.zero

    init(service: URL, session: String, clientToken: String) {
        self.service = service
        self.session = session
        self.clientToken = clientToken
    }

    /// Films every step and posts it. Call it after the person pressed a button: the camera starts by their act.
    /// `show` tells the person what to do now, and fills the screen with a colour while one is given.
    func run(show: @escaping @MainActor (Challenge.Step, String?) -> Void) async throws -> Outcome {
        let (told, _) = try await URLSession.shared.data(for: request("challenge"))
        let challenge = try JSONDecoder().decode(Challenge.self, from: told)
        try prepare()
        queue.async { self.camera.startRunning() }
        defer { queue.async { self.camera.stopRunning() } }
        for step in challenge.steps {
            queue.sync { self.step = step.id }
            let colours = step.colours ?? []
            if colours.isEmpty {
                await show(step, nil)
                try await Task.sleep(nanoseconds: UInt64(max(step.min_ms ?? 600, 1000)) * 1_000_000)
            }
            for colour in colours {
                await show(step, colour.rgb)
                try await Task.sleep(nanoseconds: UInt64(colour.ms) * 1_000_000)
            }
        }
        queue.sync { self.step = nil }
        return try await post()
    }

    private func prepare() throws {
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .front) else {
            throw CocoaError(.featureUnsupported)
        }
        camera.sessionPreset = .vga640x480
        camera.addInput(try AVCaptureDeviceInput(device: device))
        let output = AVCaptureVideoDataOutput()
        output.setSampleBufferDelegate(self, queue: queue)
        camera.addOutput(output)
        // Upright, and not mirrored: a turn to the person's left moves the nose to the picture's right.
        output.connection(with: .video)?.videoOrientation = .portrait
        output.connection(with: .video)?.isVideoMirrored = false
    }

    func captureOutput(_: AVCaptureOutput, didOutput sample: CMSampleBuffer, from _: AVCaptureConnection) {
        let time = CMSampleBufferGetPresentationTimeStamp(sample)
        // Some twelve frames a second, and no more than the service's default cap.
        guard let step, frames.count < 90, CMTimeGetSeconds(time - latest) > 0.08,
              let pixels = CMSampleBufferGetImageBuffer(sample),
              let space = CGColorSpace(name: CGColorSpace.sRGB),
              let jpeg = context.jpegRepresentation(of: CIImage(cvPixelBuffer: pixels), colorSpace: space)
        else { return }
        latest = time
        first = first ?? time
        frames.append(jpeg)
        timeline.append(["step": step, "t_ms": Int(1000 * CMTimeGetSeconds(time - first!))])
    }

    private func post() async throws -> Outcome {
        let (frames, timeline) = queue.sync { (self.frames, self.timeline) }
        let boundary = UUID().uuidString
        var body = Data()
        for (number, frame) in frames.enumerated() {
            body.append(Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"frames\"; filename=\"\(number).jpg\"\r\nContent-Type: image/jpeg\r\n\r\n".utf8))
            body.append(frame)
            body.append(Data("\r\n".utf8))
        }
        let times = try JSONSerialization.data(withJSONObject: timeline)
        body.append(Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"timeline\"\r\n\r\n".utf8))
        body.append(times)
        body.append(Data("\r\n--\(boundary)--\r\n".utf8))
        var request = request("frames")
        request.httpMethod = "POST"
        request.setValue("multipart/form-data; boundary=\(boundary)", forHTTPHeaderField: "Content-Type")
        let (told, answer) = try await URLSession.shared.upload(for: request, from: body)
        guard (answer as? HTTPURLResponse)?.statusCode == 200,
              let said = try JSONSerialization.jsonObject(with: told) as? [String: Any]
        else { return .denied }
        switch said["state"] as? String {
        case "accepted": return .accepted
        case "open": return .again(said["guidance"] as? [String] ?? [])
        default: return .denied
        }
    }

    private func request(_ what: String) -> URLRequest {
        var request = URLRequest(url: service.appendingPathComponent("v1/sessions/\(session)/\(what)"))
        request.setValue("Bearer \(clientToken)", forHTTPHeaderField: "Authorization")
        return request
    }
}
